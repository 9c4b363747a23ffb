"""What the environment says stands over the file, and nothing in it is overlooked."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from notifier.domain.settings import Tls
from tests.config.sample import SAMPLE, changed, load, problems


def test_an_option_can_be_set_by_a_variable(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        NOTIFIER_ADMIN="Admin <admin@example.com>",
        NOTIFIER_SMTP__HOST="127.0.0.1",
        NOTIFIER_SMTP__PORT="2525",
        NOTIFIER_SMTP__TLS="none",
        NOTIFIER_SMTP__USERNAME="me",
        NOTIFIER_SMTP__PASSWORD='true = "1"',
        NOTIFIER_SMTP__FROM="d@example.com",
        NOTIFIER_DIGEST__SEND_AT="07:00",
        NOTIFIER_DIGEST__ATTACHMENTS="[]",
        NOTIFIER_STORE__RETENTION_DAYS="30",
        NOTIFIER_GROUPS__WAREHOUSE__MEMBERS='["eva@example.com"]',
        NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID="from-the-environment",
        NOTIFIER_ACCOUNTS__LJUBLJANA__RECIPIENTS='["warehouse"]',
        NOTIFIER_ACCOUNTS__LJUBLJANA__PLACE__NAME="Branch",
    )
    account = settings.accounts["ljubljana"]

    assert str(settings.sender.admin) == "Admin <admin@example.com>"
    assert (settings.smtp.host, settings.smtp.port) == ("127.0.0.1", 2525)
    assert (settings.smtp.tls, settings.smtp.username) == (Tls.NONE, "me")
    assert settings.smtp.password is not None
    assert settings.smtp.password.value == 'true = "1"'
    assert settings.sender.mailbox.address == "d@example.com"
    assert (account.schedule.send_at, account.attachments) == (time(7), ())
    assert settings.store.retention == timedelta(days=30)
    assert [one.mailbox.address for one in account.recipients] == ["eva@example.com"]
    assert account.marketplace.client_id.value == "from-the-environment"
    assert account.place is not None


def test_a_hyphen_in_an_account_is_an_underscore_in_its_variables(tmp_path: Path) -> None:
    text = changed(("accounts.ljubljana", "accounts.my-shop"))

    settings = load(tmp_path, text, NOTIFIER_ACCOUNTS__MY_SHOP__NAME="Mine")

    assert settings.accounts["my-shop"].name == "Mine"


def test_other_variables_and_the_one_that_names_the_file_are_none_of_it(tmp_path: Path) -> None:
    environ = {"NOTIFIER_CONFIG": "elsewhere", "NOTIFIERS": "1", "notifier_admin": "x", "LANG": "C"}

    assert load(tmp_path, **environ) == load(tmp_path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("NOTIFIER_SMTP_PASSWORD", "did you mean NOTIFIER_SMTP__PASSWORD?"),
        ("NOTIFIER_SMTP__PASWORD", "did you mean NOTIFIER_SMTP__PASSWORD?"),
        ("NOTIFIER_smtp__host", "did you mean NOTIFIER_SMTP__HOST?"),
        (
            "NOTIFIER_ACCOUNTS__LUBLJANA__CLIENT_ID",
            "did you mean NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID?",
        ),
        ("NOTIFIER_SMTP__HOST__X", "did you mean NOTIFIER_SMTP__HOST?"),
        ("NOTIFIER_", "remove it from the environment"),
    ],
)
def test_a_mistyped_variable_is_told_with_the_right_one(
    tmp_path: Path, name: str, advice: str
) -> None:
    assert problems(tmp_path, **{name: "canary"}) == [f"{name}: is not an option; {advice}"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NOTIFIER_SMTP__PORT", "smtp", "smtp.port: must be a whole number; write port = 465"),
        ("NOTIFIER_SMTP__PORT", "1\nx = 2", "smtp.port: must be a whole number; write port = 465"),
        ("NOTIFIER_SMTP__PORT", "[" * 9999, "smtp.port: must be a whole number; write port = 465"),
        ("NOTIFIER_SMTP__PORT", "", "smtp.port: must be a whole number; write port = 465"),
        ("NOTIFIER_SMTP__HOST", "", 'smtp.host: "" is not a host name; write one such as'),
        (
            "NOTIFIER_SMTP__HOST",
            "\udcff",
            "smtp.host: '\\udcff' is not a host name; write one such",
        ),
        ("NOTIFIER_DIGEST__ATTACHMENTS", "csv", "digest.attachments: must be a list; write"),
        (
            "NOTIFIER_MARKETPLACE__TRUST_WEBHOOK",
            "yes",
            "marketplace.trust_webhook: must be true",
        ),
        ("NOTIFIER_DIGEST__LANGUAGE", "xx", 'digest.language: "xx" is not a language of the notif'),
        (
            "NOTIFIER_ACCOUNTS__LJUBLJANA__RECIPIENTS",
            "jana@example.com",
            "accounts.ljubljana.recipients: must be a list; write recipients = [",
        ),
        (
            "NOTIFIER_ACCOUNTS__LJUBLJANA__RECIPIENTS",
            '["jana@example.com", "nobody", "else"]',
            'accounts.ljubljana.recipients[1]: "nobody" has no "@" and is no contact group; w',
        ),
        (
            "NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID",
            "canary\n",
            "accounts.ljubljana.client_id: has a line break or control character in it; write",
        ),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable_and_not_a_line(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    first = problems(tmp_path, **{name: value})[0]

    assert first.startswith(f"{name}: {told}")
    assert "canary" not in first


def test_a_mistake_in_the_file_below_a_variable_does_not_matter(tmp_path: Path) -> None:
    text = changed(("host =", 'port = "no"\nhost ='))

    assert load(tmp_path, text, NOTIFIER_SMTP__PORT="26").smtp.port == 26


def test_the_environment_cannot_add_an_account_by_a_slip(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, SAMPLE, NOTIFIER_ACCOUNTS__ZAGREB__NAME="Zagreb")

    assert told.startswith(
        "NOTIFIER_ACCOUNTS__ZAGREB__NAME: is not an option; did you mean NOTIFIER_"
    )
