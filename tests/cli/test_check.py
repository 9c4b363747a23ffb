"""`notifier check`: every mistake, or who gets what and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from notifier.cli.commands.check import command
from notifier.cli.context import Invocation
from notifier.errors import ConfigError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

TEXT = """\
admin = "Jana Novak <jana@example.com>"
[smtp]
host = "smtp.example.com"
username = "digest@example.com"
password = "canary-password"
from = "Parcels <digest@example.com>"
[digest]
send_at = "06:30"
timezone = "Europe/Ljubljana"
[groups.warehouse]
members = ["ana@example.com"]
language = "sl"
[accounts.ljubljana]
name = "Mimovrste"
client_id = "canary-client-id"
recipients = ["Jana Novak <jana@example.com>", "warehouse"]
[accounts.ljubljana.place]
name = "Branch Center"
address = "Example street 1"
opening_hours = "Mon–Fri 8–18"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration without mistakes."""
    file = tmp_path / "config.toml"
    file.write_text(TEXT, encoding="utf-8")
    file.chmod(0o600)
    return file


def check(file: Path, environ: Mapping[str, str] | None = None) -> Result:
    invocation = Invocation(file, clock=lambda: NOW, environ=environ or {})
    return CliRunner().invoke(command, [], obj=invocation)


def test_it_says_who_gets_what_and_when(file: Path) -> None:
    result = check(file)

    assert result.exit_code == 0
    assert result.stderr == ""
    assert (
        result.stdout
        == f"""\
{file}: no mistakes.

Mimovrste (account "ljubljana")
  sent          every day at 06:30, Europe/Ljubljana
  next          now, unless already done; then Monday, 23 November 2026, 06:30, or as soon as possible until 18:00
  if empty      a mail that says so
  reads         https://mpapi.mallgroup.com
  collect at    Branch Center, Example street 1, Mon–Fri 8–18
  goes to       Jana Novak <jana@example.com>, in en, named directly
                ana@example.com, in sl, member of "warehouse"

All accounts
  mail server   smtp.example.com, port 465, TLS, login digest@example.com
  from          Parcels <digest@example.com>
  replies to    Jana Novak <jana@example.com>
  bounces to    digest@example.com
  alarms to     Jana Novak <jana@example.com>
  store         {file.parent}/notifier.db
  mails kept    7 days after delivery
"""  # noqa: E501 - as it is printed
    )


def test_other_values_are_shown(file: Path) -> None:
    (file.parent / "mails").mkdir()
    environ = {
        "NOTIFIER_DIGEST__WHEN_EMPTY": "skip",
        "NOTIFIER_DIGEST__TOO_LATE": "05:00",
        "NOTIFIER_DIGEST__TEST_ORDERS": "true",
        "NOTIFIER_DIGEST__WEEKDAYS": '["mon", "fri"]',
        "NOTIFIER_DIGEST__TEMPLATES_DIR": "mails",
        "NOTIFIER_STORE__URL": "postgresql+psycopg://me:canary@db.example.com/n",
        "NOTIFIER_SMTP__TLS": "starttls",
    }

    result = check(file, environ)

    for line in (
        "sent          mon, fri at 06:30, Europe/Ljubljana",
        "until 05:00 the day after",
        "if empty      no mail",
        "reads         https://mpapi.mallgroup.com, test orders too",
        "smtp.example.com, port 587, STARTTLS, login",
        "store         postgresql+psycopg://me:••••@db.example.com/n",
        f"templates     {file.parent}/mails",
    ):
        assert line in result.stdout
    assert "canary" not in result.output


def test_warnings_go_to_standard_error(file: Path) -> None:
    file.chmod(0o620)

    result = check(file, {"NOTIFIER_DIGEST__SEND_AT": "02:30"})

    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        (f"Warning: its group may change {file}; run chmod go-w {file}."),
        (
            "Warning: accounts.ljubljana: on 28 March 2027 the clocks skip 02:30; "
            "it is sent at 03:30."
        ),
        (
            "Warning: accounts.ljubljana: on 31 October 2027 it is 02:30 twice; "
            "it is sent the first time."
        ),
    ]


def test_own_templates_are_tried_in_each_language_that_is_read(file: Path) -> None:
    own = file.parent / "mails" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("{{ mail.headline.nonsense }}", encoding="utf-8")

    result = check(file, {"NOTIFIER_DIGEST__TEMPLATES_DIR": "mails"})

    assert result.exit_code == 0
    for language, line in zip(("en", "sl"), result.stderr.splitlines(), strict=True):
        assert line.startswith(
            f"Warning: digest.templates_dir, in {language}: error: an ordinary day, "
            "your own templates: they cannot be used"
        )


def test_mistakes_go_to_the_door_all_of_them(file: Path) -> None:
    file.write_text(TEXT.replace("host =", "hots =").replace("06:30", "6:30"), encoding="utf-8")

    result = check(file)

    assert isinstance(result.exception, ConfigError)
    assert not isinstance(result.exception, click.ClickException)
    assert [problem.line for problem in result.exception.problems] == [3, 8]
    assert result.output == ""
