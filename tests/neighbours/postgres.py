"""A temporary PostgreSQL cluster on a Unix socket, with the installed PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNPRIVILEGED = "postgres"
"""The user of Debian's package; runs PostgreSQL when the tests run as root, which it refuses."""


def missing() -> str | None:
    """Return why no cluster can be started here; None if one can."""
    if _programs() is None:
        return "PostgreSQL is not installed (Debian: postgresql)"
    if os.geteuid() == 0 and UNPRIVILEGED not in {user.pw_name for user in pwd.getpwall()}:
        return f"PostgreSQL does not run as root, and there is no user {UNPRIVILEGED}"
    return None


@contextmanager
def running_cluster() -> Iterator[str]:
    """Run a cluster while the block runs; yield the SQLAlchemy URL of its database `postgres`."""
    programs = _programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="notifier-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _run(programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Return the folder of the newest installed programs; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _run(program: Path, *arguments: str | Path) -> None:
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    subprocess.run(
        [program, *arguments],
        check=True,
        user=user,
        extra_groups=[] if user else None,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
