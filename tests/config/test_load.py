"""What becomes of a configuration: defaults, overrides, and where the file is found."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from notifier import config
from notifier.domain.recipients import AttachmentKind, Mailbox
from notifier.domain.settings import PlaceOfReturn, Tls, WhenEmpty
from tests.config.sample import SAMPLE, changed, load

JANA = Mailbox("jana@example.com", "Jana Novak")


def test_a_short_configuration_gets_sensible_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    account = settings.accounts["ljubljana"]

    assert account.name == "ljubljana"
    assert (account.schedule.send_at, account.schedule.too_late) == (time(6), time(18))
    assert account.schedule.timezone == account.marketplace.timezone == "Europe/Prague"
    assert (account.language, account.when_empty) == ("en", WhenEmpty.SEND)
    assert (account.overdue_days, account.attachments) == (5, (AttachmentKind.CSV,))
    assert account.marketplace.base_url == "https://mpapi.mallgroup.com"
    assert (settings.smtp.port, settings.smtp.tls) == (465, Tls.IMPLICIT)
    assert settings.sender.reply_to == settings.sender.admin == JANA
    assert settings.sender.envelope == Mailbox("digest@example.com")
    assert settings.store.url == f"sqlite:///{tmp_path}/notifier.db"
    assert settings.store.retention == timedelta(days=7)
    assert settings.templates_dir is None


def test_a_group_brings_its_members_in_its_language(tmp_path: Path) -> None:
    recipients = load(tmp_path).accounts["ljubljana"].recipients

    assert [(one.mailbox.address, one.language, one.group) for one in recipients] == [
        ("jana@example.com", "en", None),
        ("ana@example.com", "sl", "warehouse"),
        ("pavol@example.com", "sl", "warehouse"),
    ]


def test_an_account_has_its_own_of_everything_in_digest(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    shared = """
[digest]
send_at = "07:30"
too_late = "20:00"
timezone = "Europe/Ljubljana"
language = "sl"
when_empty = "skip"
overdue_days = 3
attachments = []
test_orders = true
templates_dir = "mails"
"""
    own = """
send_at = "05:00:30"
too_late = 04:00:00
timezone = "Europe/Zagreb"
language = "en"
when_empty = "send"
overdue_days = 9
attachments = ["sheet", "csv"]
test_orders = false
place = { name = "Branch", address = "Street 1", opening_hours = "8–18" }
"""
    other = '\n[accounts.zagreb]\nclient_id = "2"\nrecipients = ["jana@example.com"]\n'

    settings = load(tmp_path, SAMPLE + own + other + shared)
    ljubljana, zagreb = settings.accounts["ljubljana"], settings.accounts["zagreb"]

    assert (ljubljana.schedule.send_at, ljubljana.schedule.too_late) == (time(5, 0, 30), time(4))
    assert (ljubljana.schedule.timezone, ljubljana.language) == ("Europe/Zagreb", "en")
    assert (ljubljana.when_empty, ljubljana.overdue_days) == (WhenEmpty.SEND, 9)
    assert ljubljana.attachments == (AttachmentKind.CSV, AttachmentKind.SHEET)
    assert not ljubljana.marketplace.test_orders
    assert ljubljana.place == PlaceOfReturn("Branch", "Street 1", "8–18")
    assert (zagreb.schedule.send_at, zagreb.schedule.too_late) == (time(7, 30), time(20))
    assert (zagreb.schedule.timezone, zagreb.language) == ("Europe/Ljubljana", "sl")
    assert (zagreb.when_empty, zagreb.overdue_days) == (WhenEmpty.SKIP, 3)
    assert zagreb.attachments == ()
    assert zagreb.marketplace.test_orders
    assert settings.templates_dir == tmp_path / "mails"


@pytest.mark.parametrize(("tls", "port"), [("implicit", 465), ("starttls", 587), ("none", 25)])
def test_the_port_follows_from_the_encryption(tmp_path: Path, tls: str, port: int) -> None:
    text = changed(('"smtp.example.com"', f'"localhost"\ntls = "{tls}"'))

    assert load(tmp_path, text).smtp.port == port


def test_the_store_is_where_systemd_keeps_the_state(tmp_path: Path) -> None:
    settings = load(tmp_path, STATE_DIRECTORY="/var/lib/notifier:/var/lib/other")

    assert settings.store.url == "sqlite:////var/lib/notifier/notifier.db"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ('path = "data/store.db"', "sqlite:///{folder}/data/store.db"),
        ('path = "/srv/store.db"', "sqlite:////srv/store.db"),
        ('url = "postgresql+psycopg://me@db/n"', "postgresql+psycopg://me@db/n"),
        ('url = "sqlite:////srv/store.db"', "sqlite:////srv/store.db"),
    ],
)
def test_the_store_can_be_named(tmp_path: Path, written: str, url: str) -> None:
    settings = load(tmp_path, SAMPLE + f"[store]\n{written}\n", STATE_DIRECTORY="/var/lib/notifier")

    assert settings.store.url == url.format(folder=tmp_path)


def test_hosts_and_domains_are_kept_in_the_form_the_network_knows(tmp_path: Path) -> None:
    text = changed(
        ("smtp.example.com", "straße.example"), ("digest@example.com", "a@straße.example")
    )

    settings = load(tmp_path, text)

    assert settings.smtp.host == settings.sender.mailbox.domain == "xn--strae-oqa.example"


def test_what_a_windows_editor_leaves_behind_does_no_harm(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode()

    assert load(tmp_path, text) == load(tmp_path)


def test_nothing_of_a_secret_is_in_the_repr_of_the_settings(tmp_path: Path) -> None:
    text = changed(("host =", 'username = "me"\npassword = "canary-password"\nhost ='))

    assert "canary" not in repr(load(tmp_path, text))


def test_the_configuration_is_looked_for_where_it_is_named_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"NOTIFIER_CONFIG": "named.toml"}

    assert config.locate(Path("explicit.toml"), environ) == Path("explicit.toml")
    assert config.locate(None, environ) == Path("named.toml")


def test_else_it_is_the_one_here_and_else_the_one_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nothing_here = config.locate(None, {"NOTIFIER_CONFIG": ""})
    Path("config.toml").touch()

    assert config.locate(None, {"NOTIFIER_CONFIG": ""}) == Path("config.toml")
    assert nothing_here == (config.SYSTEM_FILE if config.SYSTEM_FILE.exists() else config.HERE)


def test_paths_count_from_the_file_and_not_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "config.toml").write_text(SAMPLE, encoding="utf-8")
    (tmp_path / "etc" / "config.toml").chmod(0o600)
    monkeypatch.chdir(tmp_path)

    settings = config.load(Path("etc/config.toml"), environ={})

    assert settings.store.url == f"sqlite:///{tmp_path}/etc/notifier.db"
