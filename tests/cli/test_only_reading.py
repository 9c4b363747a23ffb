"""Commands that only read serve somebody who may do nothing but read."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode
from notifier.store import open_store
from tests.neighbours import nobody
from tests.store.arrange import freeze

ROOT = Path(__file__).parents[2]
CONFIG = """\
admin = "Admin <admin@example.com>"

[store]
path = "notifier.db"
identity = "first"

[smtp]
host = "127.0.0.1"
tls = "none"
from = "Parcels <parcels@example.com>"

[accounts.ljubljana]
recipients = ["jana@example.com"]
"""


@pytest.fixture
def config() -> Iterator[Path]:
    """A configuration, and a store with a run; anybody may read both, and only root write."""
    with tempfile.TemporaryDirectory() as where:  # pytest's own folders are closed to others
        folder = Path(where)
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
        asyncio.run(make(folder / "notifier.db"))
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder / "config.toml"


async def make(file: Path) -> None:
    async with open_store(StoreLocation(f"sqlite:///{file}", identity="first")) as store:
        await freeze(store, "jana@example.com")


@pytest.mark.slow
@pytest.mark.skipif(nobody.why_not() is not None, reason=str(nobody.why_not()))
@pytest.mark.parametrize(
    ("words", "shows"),
    [
        ("status", "jana@example.com"),
        ("runs", "complete"),
        ("outbox", "jana@example.com"),
        ("outbox 1", "jana@example.com"),
        ("explain", "jana@example.com"),
    ],
)
def test_a_command_that_only_reads_needs_no_more(config: Path, words: str, shows: str) -> None:
    program = (sys.executable, "-m", "notifier", "--config", str(config), *words.split())
    finished = subprocess.run(
        [*nobody.AS_NOBODY, *program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={"NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID": "demo-client-id"},
    )

    # Whether today's digest is late, which status fails for, depends on the time of day.
    fine = {ExitCode.DONE, ExitCode.FAILED} if words == "status" else {ExitCode.DONE}
    assert finished.stderr == ""
    assert finished.returncode in fine
    assert shows in finished.stdout
