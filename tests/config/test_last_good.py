"""A file that is broken half-way costs nobody the mail: the last good one is kept, and found."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier import config
from notifier.domain.settings import Settings
from notifier.errors import ConfigError
from tests.config.sound import SOUND, changed, load

GOOD_AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
NO_SECRET = changed(('client_id = "canary-client-id"', 'client_id_file = "client-id"'))


def kept(folder: Path, text: str = SOUND, at: datetime = GOOD_AT, **environ: str) -> Settings:
    """Settings of this text that served well."""
    (folder / "client-id").write_text("canary-client-id\n")
    (folder / "client-id").chmod(0o600)
    settings = load(folder, text, 0o600, **environ)
    config.keep(folder / "config.toml", settings, environ=environ, good_at=at)
    return settings


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


def test_every_prefix_of_a_file_is_good_itself_or_replaced(tmp_path: Path) -> None:
    settings = kept(tmp_path, NO_SECRET)
    whole = NO_SECRET.encode()

    for length in range(len(whole)):
        try:
            load(tmp_path, whole[:length])
        except ConfigError:
            assert recalled(tmp_path, whole[:length]) == settings, length


def test_no_secret_is_in_the_copy_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    more = '\n[alarms]\nping_url = "https://ping.example/canary-ping"\n'
    kept(tmp_path, SOUND + more)

    copy = tmp_path / "config.toml.last-good"
    assert "canary" not in copy.read_text(encoding="utf-8")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_secret_in_the_file_is_read_from_its_line_though_the_rest_is_broken(
    tmp_path: Path,
) -> None:
    settings = kept(tmp_path)

    assert recalled(tmp_path, SOUND.replace("[smtp]", "[smtp").encode()) == settings


def test_a_secret_that_is_in_no_line_leaves_nothing_to_work_with(tmp_path: Path) -> None:
    kept(tmp_path)

    assert recalled(tmp_path, SOUND.split("client_id")[0].encode()) is None


def test_the_secret_of_one_account_never_counts_for_another(tmp_path: Path) -> None:
    second = '\n[accounts.celje]\nclient_id = "canary-other"\nrecipients = ["eva@example.com"]\n'
    kept(tmp_path, SOUND + second)
    header_gone = (SOUND + second).replace("[accounts.ljubljana]", "[accounts.ljubljana")

    assert recalled(tmp_path, header_gone.encode()) is None


def test_the_monitor_is_not_worth_the_mail(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET + '\n[alarms]\nping_url = "https://ping.example/canary"\n')

    found = recalled(tmp_path, b"")

    assert found is not None
    assert found.ping_url is None


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

    assert (tmp_path / "state" / "config.toml.last-good").exists()
    assert recalled(tmp_path, b"") == settings


def test_under_systemd_it_is_in_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    state = {"STATE_DIRECTORY": str(tmp_path / "state")}
    settings = kept(tmp_path, NO_SECRET, GOOD_AT, **state)

    assert not (tmp_path / "config.toml.last-good").exists()
    assert recalled(tmp_path, b"", **state) == settings


def test_a_copy_of_another_file_is_not_ours(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "config.toml.last-good").rename(other / "config.toml.last-good")
    (other / "config.toml").write_text("")

    assert config.recall(other / "config.toml", environ={}) is None


def test_a_copy_that_is_damaged_is_as_good_as_none(tmp_path: Path) -> None:
    kept(tmp_path, NO_SECRET)
    whole = (tmp_path / "config.toml.last-good").read_bytes()

    for length in range(0, len(whole) - 2, 7):
        (tmp_path / "config.toml.last-good").write_bytes(whole[:length])
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

    assert "no copy can be kept" in caplog.text
