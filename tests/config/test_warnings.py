"""What is valid, but worth a second look."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.config.warnings import find_warnings
from tests.config.sample import SAMPLE, changed, load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = 'place = { name = "Branch" }\n'
LOGIN = ("host =", 'username = "digest@example.com"\npassword = "p"\nhost =')
CAREFUL = changed(LOGIN, more=PLACE)


def told(folder: Path, text: str) -> list[str]:
    return list(find_warnings(load(folder, text), NOW))


def test_a_careful_configuration_leaves_nothing_to_say(tmp_path: Path) -> None:
    assert told(tmp_path, CAREFUL) == []


def test_a_short_one_is_told_what_the_mail_will_lack(tmp_path: Path) -> None:
    assert told(tmp_path, SAMPLE) == [
        "smtp.username: is not set; most mail servers accept mail only after a login",
        (
            "accounts.ljubljana: the mail cannot say where the parcels wait; "
            "write [accounts.ljubljana.place] with the name of the branch"
        ),
    ]


def test_a_mail_server_on_this_machine_wants_no_login(tmp_path: Path) -> None:
    text = changed(('"smtp.example.com"', '"localhost"\ntls = "none"'), more=PLACE)

    assert told(tmp_path, text) == []


@pytest.mark.parametrize(
    ("zone", "send_at", "caution"),
    [
        (
            "Europe/Prague",
            "02:30",
            [
                "on 28 March 2027 the clocks skip 02:30; it is sent at 03:30",
                "on 31 October 2027 it is 02:30 twice; it is sent the first time",
            ],
        ),
        ("Europe/Prague", "01:59", []),
        ("Europe/Prague", "03:00", []),
        (
            "Australia/Lord_Howe",
            "02:10",
            ["on 3 October 2027 the clocks skip 02:10; it is sent at 02:40"],
        ),
        ("UTC", "02:30", []),
    ],
)
def test_a_time_that_a_change_of_clocks_skips_or_repeats_is_told_with_the_day(
    tmp_path: Path, zone: str, send_at: str, caution: list[str]
) -> None:
    text = CAREFUL + f'[digest]\nsend_at = "{send_at}"\ntimezone = "{zone}"\n'

    assert told(tmp_path, text) == [f"accounts.ljubljana: {one}" for one in caution]


def test_a_sender_of_another_domain_than_the_login_is_told(tmp_path: Path) -> None:
    text = CAREFUL.replace('username = "digest@example.com"', 'username = "me@mail.example"')

    (caution,) = told(tmp_path, text)

    assert caution.startswith("smtp.from: digest@example.com is in another domain than the login")


def test_addresses_that_not_every_server_takes_are_told(tmp_path: Path) -> None:
    text = CAREFUL.replace("<digest@", "<sběr@").replace('["jana@', '["jána@')

    assert told(tmp_path, text) == [
        "smtp.from: sběr@example.com needs a mail server that offers SMTPUTF8",
        ("accounts.ljubljana: jána@example.com needs a mail server that offers SMTPUTF8"),
    ]


def test_two_accounts_with_one_credential_are_told(tmp_path: Path) -> None:
    more = f"""
[accounts.zagreb]
client_id = "canary-client-id"
recipients = ["jana@example.com"]
{PLACE}"""

    (caution,) = told(tmp_path, CAREFUL + more)

    assert caution == (
        "accounts.zagreb: has the same client_id as ljubljana, so both report the same parcels"
    )


@pytest.mark.parametrize(("allowed", "cautions"), [("true", 0), ("false", 1)])
def test_a_pickup_password_nobody_is_shown_is_noticed(
    tmp_path: Path, allowed: str, cautions: int
) -> None:
    place = 'place = { name = "Branch", pickup_password = "4711" }\n'
    group = ('language = "sl"', f'language = "sl"\npickup_password = {allowed}')

    noticed = told(tmp_path, changed(LOGIN, group, more=place))

    assert len(noticed) == cautions
    assert all("no recipient is shown place.pickup_password" in caution for caution in noticed)


TOKEN = f'webhook_token = "{"a" * 32}"\n'
LISTEN = '\n[daemon]\nwebhook_listen = "127.0.0.1:8687"\n'
CELJE = f'\n[accounts.celje]\nclient_id = "c"\nrecipients = ["jana@example.com"]\n{TOKEN}{PLACE}'


@pytest.mark.parametrize(
    ("more", "caution"),
    [
        (TOKEN + PLACE + LISTEN, []),
        (
            TOKEN + PLACE,
            [
                (
                    "daemon.webhook_listen: is not set, so nothing receives webhooks; "
                    'write "127.0.0.1:8687"'
                )
            ],
        ),
        (
            PLACE + LISTEN,
            ["daemon.webhook_listen: no account has a webhook_token, so every post is refused"],
        ),
        (
            TOKEN + PLACE + CELJE + LISTEN,
            [
                (
                    "accounts.celje: has the same client_id as ljubljana, "
                    "so both report the same parcels"
                ),
                (
                    "accounts.celje.webhook_token: is the same as that of ljubljana, so posts are "
                    "attributed to that account; create another token"
                ),
            ],
        ),
    ],
)
def test_a_webhook_that_nobody_can_post_to_is_noticed(
    tmp_path: Path, more: str, caution: list[str]
) -> None:
    text = changed(LOGIN, more=more).replace('"canary-client-id"', '"c"')

    assert told(tmp_path, text) == caution


FILE = """
[accounts.ljubljana.file]
location = "orders.csv"
{currency}
[accounts.ljubljana.file.columns]
id = "Order"
cod = "COD"
"""


@pytest.mark.parametrize(
    ("currency", "more", "count"),
    [("", "", 1), ('currency = "EUR"', "", 0), ("", 'currency = "Currency"', 0)],
    ids=["none", "one for all", "a column"],
)
def test_amounts_of_a_file_without_a_currency_are_noticed(
    tmp_path: Path, currency: str, more: str, count: int
) -> None:
    text = CAREFUL.replace('client_id = "canary-client-id"\n', "")

    found = told(tmp_path, text + FILE.format(currency=currency) + more)

    assert len(found) == count
    assert all("columns.cod has no currency" in one for one in found)
