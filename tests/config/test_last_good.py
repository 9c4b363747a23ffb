"""A file that is broken half-way costs nobody the mail: a copy of the last good one is in force."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier import config
from notifier.domain.settings import Settings
from notifier.errors import ConfigError
from tests.config.sample import SAMPLE, changed, load

GOOD_AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
NO_SECRET = changed(('client_id = "canary-client-id"', 'client_id_file = "client-id"'))


def kept(
    folder: Path, text: str | bytes = SAMPLE, at: datetime = GOOD_AT, **environ: str
) -> Settings:
    """Settings of this text after a good run."""
    (folder / "client-id").write_text("canary-client-id\n")
    (folder / "client-id").chmod(0o600)
    settings = load(folder, text, 0o600, **environ)
    config.keep(folder / "config.toml", settings, environ=environ, good_at=at)
    return settings


def copy_in(folder: Path) -> Path:
    """The only copy in a folder."""
    (copy,) = folder.glob("config.toml.*.last-good")
    return copy


def recalled(folder: Path, data: bytes | None, **environ: str) -> Settings | None:
    """What serves when the file holds these bytes instead, or is gone."""
    file = folder / "config.toml"
    if data is None:
        file.unlink()
    else:
        file.write_bytes(data)
    found = config.recall(file, environ=environ)
    return found.settings if found else None


BROKEN = [
    pytest.param(b"", id="emptied"),
    pytest.param(None, id="gone"),
    pytest.param(b"\xff\xfe\x00", id="not text"),
    pytest.param(b"[smtp\nhost = ", id="not TOML"),
    pytest.param(b"x" * 300_000, id="huge"),
    pytest.param(NO_SECRET.replace("host", "hots").encode(), id="misspelt"),
    pytest.param(NO_SECRET.replace("\n", "\r").encode(), id="line ends of another age"),
]


@pytest.mark.parametrize("data", BROKEN)
def test_a_file_broken_in_any_way_is_replaced_by_what_it_last_said(
    tmp_path: Path, data: bytes | None
) -> None:
    settings = kept(tmp_path, NO_SECRET)

    assert recalled(tmp_path, data) == settings


@pytest.mark.slow
def test_every_prefix_of_a_file_is_good_itself_or_replaced(tmp_path: Path) -> None:
    settings = kept(tmp_path, NO_SECRET)
    whole = NO_SECRET.encode()

    for length in range(len(whole)):
        try:
            load(tmp_path, whole[:length])
        except ConfigError:
            assert recalled(tmp_path, whole[:length]) == settings, length


def test_the_copy_is_the_file_byte_for_byte_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    windows = b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode()
    kept(tmp_path, windows)

    copy = copy_in(tmp_path)
    assert copy.read_bytes() == windows
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o610, 0o601])
def test_a_copy_that_others_have_access_to_is_ignored_and_replaced_by_the_next_good_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    settings = kept(tmp_path)
    copy_in(tmp_path).chmod(mode)

    assert recalled(tmp_path, b"") is None
    assert "is not used: it is open to other users of this machine" in caplog.text
    assert kept(tmp_path) == recalled(tmp_path, b"") == settings


def test_a_copy_that_belongs_to_somebody_else_is_ignored_and_replaced_by_the_next_good_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = kept(tmp_path)
    copy = copy_in(tmp_path)
    if os.geteuid() == 0:
        os.chown(copy, 12345, -1)
    else:  # only root can give a file away, so let it be one of root's
        copy.unlink()
        copy.symlink_to("/etc/passwd")

    assert recalled(tmp_path, b"") is None
    assert "and not to this user" in caplog.text
    assert kept(tmp_path) == recalled(tmp_path, b"") == settings


def test_a_copy_in_the_format_of_earlier_versions_is_ignored(tmp_path: Path) -> None:
    earlier = tmp_path / "config.toml.last-good"
    fields = {"file": str(tmp_path / "config.toml"), "good_at": "2026-11-22", "tree": {}}
    earlier.write_text(json.dumps({**fields, "left_out": []}))

    assert recalled(tmp_path, b"") is None
    assert kept(tmp_path) == recalled(tmp_path, b"")


def test_a_copy_whose_secret_file_has_gone_leaves_nothing_to_work_with(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    (tmp_path / "client-id").unlink()

    assert recalled(tmp_path, b"") is None


def test_a_secret_file_counts_as_it_is_now(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    (tmp_path / "client-id").write_text("canary-of-today\n")

    found = recalled(tmp_path, b"")

    assert found is not None
    assert found.accounts["ljubljana"].marketplace.client_id.value == "canary-of-today"


def test_the_environment_counts_as_it_is_now(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET, NOTIFIER_SMTP__HOST="old.example.com")

    found = recalled(tmp_path, b"", NOTIFIER_SMTP__HOST="new.example.com")

    assert found is not None
    assert found.smtp.host == "new.example.com"


def test_a_store_elsewhere_has_the_copy_beside_it_and_one_where_it_is_looked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").mkdir()
    settings = kept(tmp_path, NO_SECRET + '\n[store]\npath = "state/notifier.db"\n')

    assert copy_in(tmp_path / "state").exists()
    assert recalled(tmp_path, b"") == settings


@pytest.mark.parametrize("broken", ["[smtp", 'host = "', "=", "admin = 5"])
def test_a_copy_beside_a_store_elsewhere_is_found_while_the_file_still_names_the_store(
    tmp_path: Path, broken: str
) -> None:
    (tmp_path / "state").mkdir()
    text = NO_SECRET + '\n[store]\nretention_days = 9\npath = "state/notifier.db"\n'
    settings = kept(tmp_path, text)
    copy_in(tmp_path).unlink()

    assert recalled(tmp_path, f"{broken}\n{text}".encode()) == settings


def test_a_store_named_by_its_address_has_the_copy_beside_it(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    named = f'\n[store]\nurl = "sqlite:///{tmp_path}/state/notifier.db"\n'
    settings = kept(tmp_path, NO_SECRET + named)

    assert copy_in(tmp_path / "state").exists()
    assert recalled(tmp_path, b"") == settings


def test_under_systemd_it_is_in_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    state = {"STATE_DIRECTORY": str(tmp_path / "state")}
    settings = kept(tmp_path, NO_SECRET, GOOD_AT, **state)

    assert not list(tmp_path.glob("*.last-good"))
    assert recalled(tmp_path, b"", **state) == settings


def test_a_copy_of_another_file_is_not_ours(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    other = tmp_path / "other"
    other.mkdir()
    copy_in(tmp_path).rename(other / copy_in(tmp_path).name)
    (other / "config.toml").write_text("")

    assert config.recall(other / "config.toml", environ={}) is None


def test_a_copy_that_is_damaged_is_as_good_as_none(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    whole = copy_in(tmp_path).read_bytes()

    for length in range(0, len(whole) - 2, 7):
        copy_in(tmp_path).write_bytes(whole[:length])
        assert recalled(tmp_path, b"") is None


def test_the_newest_good_moment_counts_and_is_written_once_an_hour(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for minutes in (0, 10, 70):
        kept(tmp_path, NO_SECRET, GOOD_AT + timedelta(minutes=minutes))
        times = config.recall(file, environ={})
        assert times is not None
        assert times.good_at == GOOD_AT + timedelta(minutes=70 if minutes == 70 else 0)


def test_what_changed_since_is_not_taken_for_what_served(tmp_path: Path) -> None:
    settings = kept(tmp_path, NO_SECRET)
    changed_since = NO_SECRET.replace("jana@", "eva@")
    (tmp_path / "config.toml").write_text(changed_since)

    config.keep(tmp_path / "config.toml", settings, environ={}, good_at=GOOD_AT)

    assert recalled(tmp_path, b"") == settings


def test_a_folder_that_cannot_be_written_costs_a_warning_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept(tmp_path, NO_SECRET, GOOD_AT, STATE_DIRECTORY="/proc/1/no-such-folder")

    assert "cannot keep a copy" in caplog.text
