"""Run programs as the user nobody, who owns no file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""The command prefix that runs a program as nobody."""


@cache
def why_not() -> str | None:
    """Return why the notifier cannot run as nobody here; None if it can."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return "NOT CHECKED: running as another user needs root and setpriv"
    trial = subprocess.run(
        [*AS_NOBODY, sys.executable, "-c", "import notifier"],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    return "NOT CHECKED: other users may not read this checkout" if trial.returncode else None
