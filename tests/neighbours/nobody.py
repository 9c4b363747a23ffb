"""Another user of this machine, who owns nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""The words before a command that make it nobody's."""


@cache
def why_not() -> str | None:
    """Why nobody can run the program here; None when it can."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return "NOT CHECKED: another user can be played by root with setpriv alone"
    tried = subprocess.run(
        [*AS_NOBODY, sys.executable, "-c", "import notifier"],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    return "NOT CHECKED: other users may not read this checkout" if tried.returncode else None
