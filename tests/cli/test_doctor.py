"""The doctor: finds every fault, names it with what to do, changes nothing, and never crashes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.cli.commands.doctor import command
from notifier.cli.context import Invocation
from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode
from notifier.store import open_store
from tests.factories import DAY, NOON
from tests.neighbours import nobody
from tests.store.arrange import LEASE, begin, freeze

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
client_id_file = "client-id"
recipients = ["office@example.com"]
place = { name = "Branch Center" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a store with one run in it."""
    write(tmp_path, "config.toml", CONFIG)
    write(tmp_path, "client-id", "demo-client-id")
    asyncio.run(make(tmp_path / "notifier.db"))
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o600)


async def make(file: Path) -> None:
    async with open_store(StoreLocation(f"sqlite:///{file}", identity="first")) as store:
        await freeze(store, "jana@example.com")
        await store.back_up(DAY)


def examined(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *options: str,
    now: datetime = NOON,
    **environ: str,
) -> tuple[int, str]:
    """The exit code and what was told."""
    invocation = Invocation(folder / "config.toml", clock=lambda: now, environ=environ)
    with command.make_context("doctor", list(options), obj=invocation) as context:
        code: int = command.invoke(context)
    return code, capsys.readouterr().out


def state(folder: Path) -> dict[str, str]:
    """Every file but SQLite's index of its journal, which readers share and rebuild."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and path.stat().st_size and not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("options", [(), ("--integrity",)])
def test_a_sound_set_up_has_no_finding_but_ok(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    code, told = examined(folder, capsys, *options)

    assert code == ExitCode.DONE
    assert {line.split()[0] for line in told.splitlines()} == {"ok"}


def break_config(folder: Path) -> None:
    write(folder, "config.toml", CONFIG.replace("[smtp]", "[smtp"))


def misspell(folder: Path) -> None:
    write(folder, "config.toml", CONFIG.replace("recipients =", "recipents ="))


def remove_config(folder: Path) -> None:
    (folder / "config.toml").unlink()


def open_config(folder: Path) -> None:
    (folder / "config.toml").chmod(0o666)


def open_secret(folder: Path) -> None:
    (folder / "client-id").chmod(0o620)


def another_machine(folder: Path) -> None:
    write(folder, "config.toml", CONFIG.replace('"first"', '"second"'))


def store(change: Callable[[Path], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "notifier.db")) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        change(folder / "notifier.db")

    return changed


def sql(statement: str) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "notifier.db")) as opened:
            opened.execute(statement)
            opened.commit()

    return changed


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(2 * 4096)
        opened.write(b"\xff" * 512)


def without_a_backup(folder: Path) -> None:
    (folder / f"notifier.db.backup-{DAY}").unlink()


def without_ballast(folder: Path) -> None:
    (folder / "notifier.db.ballast").unlink()


def huge_journal(folder: Path) -> None:
    (folder / "notifier.db-wal").touch(0o600)
    os.truncate(folder / "notifier.db-wal", 17 * 1024 * 1024)


async def run_that_died(file: Path) -> None:
    async with open_store(StoreLocation(f"sqlite:///{file}", identity="first")) as opened:
        await begin(opened, DAY - timedelta(days=1), at=NOON - 2 * LEASE)
        await opened.outbox.claim(at=NOON - 2 * LEASE, holder="dead", lease=LEASE)


def stuck(folder: Path) -> None:
    asyncio.run(run_that_died(folder / "notifier.db"))


@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        pytest.param(break_config, 78, "problem .*config.toml:.*not TOML", id="broken TOML"),
        pytest.param(misspell, 78, "problem .*recipents", id="unknown key"),
        pytest.param(remove_config, 78, "problem .*notifier init", id="no configuration"),
        pytest.param(open_config, 0, "warning .*chmod go-w", id="config open to all"),
        pytest.param(open_secret, 0, "warning .*chmod 600", id="secret open to the group"),
        pytest.param(another_machine, 78, "problem .*notifier adopt", id="cloned"),
        pytest.param(store(damage), 74, "problem .*damaged", id="damaged"),
        pytest.param(
            store(lambda file: os.truncate(file, 3 * 4096)), 74, "problem .*restore", id="truncated"
        ),
        pytest.param(
            store(lambda file: os.truncate(file, 0)), 74, "problem .*is empty", id="emptied"
        ),
        pytest.param(store(Path.unlink), 74, "problem .*is gone", id="gone"),
        pytest.param(
            store(lambda file: file.write_text("dear diary")),
            74,
            "problem .*not a store of this program",
            id="foreign",
        ),
        pytest.param(
            sql("UPDATE alembic_version SET version_num = '9999'"),
            74,
            "problem .*newer version",
            id="newer",
        ),
        pytest.param(
            sql("UPDATE alembic_version SET version_num = '0001'"),
            0,
            "warning .*brings it up to date",
            id="older",
        ),
        pytest.param(
            sql("UPDATE messages SET state = 'held'"), 3, "problem .*outbox retry", id="held"
        ),
        pytest.param(
            sql("UPDATE messages SET state = 'unknown'"),
            0,
            "warning .*delivery is unknown",
            id="unknown",
        ),
        pytest.param(
            sql("UPDATE messages SET state = 'failed', settled_at = '2026-11-21 12:00:00.000000'"),
            0,
            "warning .*failed",
            id="failed",
        ),
        pytest.param(stuck, 0, "warning .*left behind", id="left behind"),
        pytest.param(without_a_backup, 0, "warning .*no backup", id="no backup"),
        pytest.param(huge_journal, 0, "warning .*journal", id="huge journal"),
        pytest.param(without_ballast, 0, "warning .*no ballast", id="no ballast"),
        pytest.param(
            store(lambda file: file.chmod(0o644)), 0, "warning .*chmod 600", id="readable by all"
        ),
    ],
)
def test_a_fault_is_found_and_explained_and_nothing_is_changed(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None],
    code: int,
    hint: str,
) -> None:
    change(folder)
    before = state(folder)

    found, told = examined(folder, capsys)

    assert found == code
    assert any(matches(hint, line) for line in told.splitlines()), told
    assert state(folder) == before


def matches(hint: str, line: str) -> bool:
    gravity, rest = hint.split(" ", 1)
    return line.startswith(gravity) and all(part in line for part in rest.split(".*"))


@pytest.mark.parametrize("option", ["client_id", "webhook_token", "pickup_password"])
def test_every_file_of_a_secret_is_examined(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    place = f'place = {{ name = "Center", {option}_file = "secret" }}'
    line = place if option == "pickup_password" else f'{option}_file = "secret"'
    named = "place =" if option == "pickup_password" else "client_id_file ="
    kept = [one for one in CONFIG.splitlines() if not one.startswith(named)]
    if option == "webhook_token":
        kept.append('client_id_file = "client-id"')
    write(folder, "config.toml", "\n".join([*kept, line]))
    write(folder, "secret", "7e57" * 16)
    (folder / "secret").chmod(0o620)

    _, told = examined(folder, capsys)

    assert f"warning  other users may read or change {folder / 'secret'}" in told


def test_a_clock_before_the_program_was_made_cannot_be_right(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = examined(folder, capsys, now=datetime(1970, 1, 2, tzinfo=UTC))

    assert code == ExitCode.FAILED
    assert "timedatectl" in told


def test_an_old_backup_deserves_a_look(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = examined(folder, capsys, now=NOON + timedelta(days=3))

    assert f"warning  backups: 1, the newest of {DAY}" in told


def test_a_row_that_belongs_to_none_is_found_by_looking_closer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql("DELETE FROM runs")(folder)

    assert examined(folder, capsys)[0] == ExitCode.DONE
    assert examined(folder, capsys, "--integrity")[0] == ExitCode.STORE


def test_without_a_store_there_is_nothing_wrong_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "config.toml", CONFIG)
    write(tmp_path, "client-id", "demo-client-id")

    code, told = examined(tmp_path, capsys)

    assert code == ExitCode.DONE
    assert "no store" in told
    assert not (tmp_path / "notifier.db").exists()


def test_a_broken_configuration_does_not_hide_the_store(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "elsewhere.db").write_text("dear diary")
    changed = CONFIG.replace("notifier.db", "elsewhere.db").replace("recipients =", "recipents =")
    write(folder, "config.toml", changed)

    code, told = examined(folder, capsys)

    assert code == ExitCode.CONFIG
    assert "recipents" in told
    assert "elsewhere.db: it is not a store of this program" in told


@pytest.mark.skipif(nobody.why_not() is not None, reason=str(nobody.why_not()))
def test_somebody_who_may_look_at_nothing_is_told_so(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:  # pytest's own folders are closed to others
        closed = Path(elsewhere) / "closed"
        shutil.copytree(folder, closed)
        Path(elsewhere).chmod(0o755)
        closed.chmod(0o700)
        program = (sys.executable, "-m", "notifier", "--config", str(closed / "config.toml"))
        finished = subprocess.run(
            [*nobody.AS_NOBODY, *program, "doctor"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=Path(__file__).parents[2],
        )

    assert finished.returncode == ExitCode.CONFIG, finished.stderr
    assert "may not be read by this user" in finished.stdout
    assert "notifier.db cannot be used (Permission denied)" in finished.stdout
    assert finished.stderr == ""


@pytest.mark.parametrize("page", range(0, 18, 3))
def test_a_damaged_store_is_examined_to_the_end(
    folder: Path, capsys: pytest.CaptureFixture[str], page: int
) -> None:
    store(lambda _: None)(folder)
    with (folder / "notifier.db").open("r+b") as opened:
        opened.seek(page * 4096)
        opened.write(bytes(range(256)) * 16)

    code, told = examined(folder, capsys, "--integrity")

    assert code == ExitCode.STORE
    assert "problem" in told


def test_a_store_that_nobody_can_reach_is_told_without_its_password(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql+psycopg://notifier:CANARY-secret@127.0.0.1:1/notifier"

    code, told = examined(folder, capsys, NOTIFIER_STORE__URL=url)

    assert code in (ExitCode.STORE, ExitCode.CONFIG)
    assert "CANARY-secret" not in told


FILE = """
[accounts.ljubljana.file]
location = "orders.csv"
[accounts.ljubljana.file.columns]
id = "Order"
shipped = "Shipped"
"""


@pytest.mark.parametrize(
    ("text", "mode", "code", "hint"),
    [
        (
            "Order,Shipped\n7,2026-11-10\n",
            0o644,
            0,
            "ok orders.csv can be read: 1 orders, 1 waiting",
        ),
        ("Order,Shipped\n7,10.11.2026\n", 0o644, 0, "warning not dates, such as .*date_format"),
        ("Order,Shipped\n7,\n", 0o666, 0, "warning every user.*chmod o-w"),
        ("Order,Shipped\n7\n8,\n", 0o644, 3, "problem 1 of 2 rows"),
        ("Order\n7\n", 0o644, 77, 'problem has no column "Shipped"'),
        (None, 0o644, 75, "problem does not exist; check the export"),
    ],
    ids=["sound", "dates", "open to all", "rows", "column", "not there"],
)
def test_a_file_of_orders_is_read_as_a_run_would(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    text: str | None,
    mode: int,
    code: int,
    hint: str,
) -> None:
    write(folder, "config.toml", CONFIG.replace('client_id_file = "client-id"\n', "") + FILE)
    file = folder / "orders.csv"
    if text is not None:
        write(folder, file.name, text)
        file.chmod(mode)
        os.utime(file, (NOON.timestamp() - 3600,) * 2)

    found, told = examined(folder, capsys)

    assert found == code
    assert any(matches(hint, line) for line in told.splitlines()), told
