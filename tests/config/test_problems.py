"""Every mistake is told at once, where it stands, and with what to write instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from notifier import config
from notifier.errors import ConfigError
from notifier.i18n.language import available_languages
from tests.config.sample import SAMPLE, changed, load, problems

LANGUAGES = ", ".join(f'"{code}"' for code in available_languages())


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
admin = "Jana <jana@exmple>"
langauge = "en"
[smtp]
host = "smtp.example.com:25"
port = "465"
from = "digest@example.com"
timeout_seconds = 0
[digest]
send_at = "24:00"
timezone = "Europe/Ljubljna"
language = "si"
attachments = ["csv", "xls"]
[groups.unused]
members = [
  "ana@example.com",  # right
  "pavol",
  5,
]
[accounts.ljubljana]
recipients = ["jana@exmple"]
[accounts.zagreb]
"""

    assert problems(tmp_path, text, NOTIFIER_MARKETPLACE__PAGE_SIZE="many") == [
        (
            "NOTIFIER_MARKETPLACE__PAGE_SIZE: marketplace.page_size: must be a whole number; "
            "write page_size = 1000"
        ),
        'config.toml:1: admin: "Jana <jana@exmple>" has no valid domain; write name@domain',
        'config.toml:2: langauge: is not an option here; did you mean "language" in [digest]?',
        (
            'config.toml:4: smtp.host: "smtp.example.com:25" is not a host name; '
            'write it alone, "smtp.example.com"'
        ),
        "config.toml:5: smtp.port: must be a whole number; write port = 465",
        "config.toml:7: smtp.timeout_seconds: must be at least 1; write timeout_seconds = 30",
        (
            'config.toml:9: digest.send_at: "24:00" is not a time of day; '
            'write "06:00", between "00:00" and "23:59"'
        ),
        (
            'config.toml:10: digest.timezone: "Europe/Ljubljna" is not a time zone; '
            'write "Europe/Ljubljana" or another IANA name'
        ),
        (
            'config.toml:11: digest.language: "si" is not a language of the notifier; '
            f"write one of {LANGUAGES}"
        ),
        (
            'config.toml:12: digest.attachments[1]: must be one of "csv", "xlsx" or "sheet"; '
            'write "csv"'
        ),
        (
            'config.toml:16: groups.unused.members[1]: "pavol" has no "@" and is no contact group; '
            'write name@domain or a group ("unused")'
        ),
        (
            "config.toml:17: groups.unused.members[2]: must be text in quotes; "
            'write "Ana Kovač <ana@example.com>"'
        ),
        (
            "config.toml:19: accounts.ljubljana.client_id: is missing; write client_id_file = "
            '"client-id", or set NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID'
        ),
        (
            'config.toml:20: accounts.ljubljana.recipients[0]: "jana@exmple" has no valid domain; '
            'write name@domain or a group ("unused")'
        ),
        (
            "config.toml:21: accounts.zagreb.recipients: is missing; "
            'write recipients = ["Jana Novak <jana@example.com>", "warehouse"]'
        ),
        (
            "config.toml:21: accounts.zagreb.client_id: is missing; write client_id_file = "
            '"client-id", or set NOTIFIER_ACCOUNTS__ZAGREB__CLIENT_ID'
        ),
    ]


def test_an_empty_file_is_told_what_must_be_in_it(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == [
        'config.toml: admin: is missing; write admin = "Jana Novak <jana@example.com>"',
        "config.toml: smtp: is missing; write [smtp] with host and from",
        (
            "config.toml: accounts: is missing; "
            "write [accounts.ljubljana] with recipients and a client_id"
        ),
    ]


SMTP, GROUP, ACCOUNT = "[smtp]", "[groups.warehouse]", "[accounts.ljubljana]"


@pytest.mark.parametrize(
    ("table", "line", "problem"),
    [
        (SMTP, "pasword = 1", ':4: smtp.pasword: is not an option; did you mean "password"?'),
        (
            SMTP,
            "timezone = 1",
            ':4: smtp.timezone: is not an option here; did you mean "timezone" in [digest]?',
        ),
        (
            SMTP,
            "qqq = 1",
            ":4: smtp.qqq: is not an option; the options here are host, port, tls, username,",
        ),
        (SMTP, '"a\\nb" = 1', ':4: smtp."a\\nb": is not an option; the options here are'),
        (SMTP, "'a.\"b' = 1", ':4: smtp."a.\\"b": is not an option; the options here are'),
        (SMTP, '"" = 1', ':4: smtp."": is not an option; the options here are'),
        (SMTP, '"žena" = 1', ':4: smtp."žena": is not an option; the options here are'),
        (SMTP, '"po-rt_2" = 1', ':4: smtp.po-rt_2: is not an option; did you mean "port"?'),
        (SMTP, "port = true", ":4: smtp.port: must be a whole number; write port = 465"),
        (SMTP, "port = 25.0", ":4: smtp.port: must be a whole number; write port = 465"),
        (SMTP, "port = 65536", ":4: smtp.port: must be at most 65535; write port = 465"),
        (SMTP, 'tls = "ssl"', ':4: smtp.tls: must be one of "implicit", "starttls" or "none"; wr'),
        (SMTP, 'tls = "none"', ':4: smtp.tls: "none" is for this machine only; write "implicit"'),
        (SMTP, "username = 5", ":4: smtp.username: must be text in quotes; write username = "),
        (SMTP, 'username = "me"', ":4: smtp.username: has no password; write password_file = "),
        (SMTP, 'password = "p"', ":4: smtp.password: is set without smtp.username; write that"),
        (SMTP, 'reply_to = "jana"', ':4: smtp.reply_to: "jana" is not an address; write name@'),
        (
            SMTP,
            'envelope_from = "b@mail.example.com"',
            ':4: smtp.envelope_from: "b@mail.example.com" is not in the domain of smtp.from, so ',
        ),
        (SMTP, 'ca_file = "no.pem"', ':4: smtp.ca_file: "no.pem" does not exist'),
        (SMTP, 'ca_file = "config.toml"', ':4: smtp.ca_file: "config.toml" holds no certificates'),
        (
            ACCOUNT,
            'columns = ["order", "trackin"]',
            ':12: accounts.ljubljana.columns: "trackin" is not a co',
        ),
        (
            ACCOUNT,
            'columns = ["items"]',
            ':12: accounts.ljubljana.columns: has no "order", the numb',
        ),
        (
            ACCOUNT,
            'columns = ["order", "order"]',
            ':12: accounts.ljubljana.columns: "order" is lis',
        ),
        (ACCOUNT, 'logo = "no.png"', ':12: accounts.ljubljana.logo: "no.png" does not exist'),
        (
            ACCOUNT,
            'logo = "config.toml"',
            ':12: accounts.ljubljana.logo: "config.toml" is not a PNG, JPEG or GIF',
        ),
        (
            ACCOUNT,
            'header_color = "red"',
            ':12: accounts.ljubljana.header_color: "red" is not a colour; write it as',
        ),
        (
            ACCOUNT,
            'link_color = "#9ad0ff"',
            ':12: accounts.ljubljana.link_color: "#9ad0ff" is too light to be read',
        ),
        (ACCOUNT, "name = 5", ":12: accounts.ljubljana.name: must be text in quotes; write name ="),
        (ACCOUNT, 'name = " "', ":12: accounts.ljubljana.name: is empty; write a value, or"),
        (ACCOUNT, 'name = "a\\nb"', ":12: accounts.ljubljana.name: 'a\\nb' has a line break or"),
        (ACCOUNT, 'name = "=?a"', ':12: accounts.ljubljana.name: "=?a" contains "=?", which mail'),
        (ACCOUNT, 'name = "\u202e"', ":12: accounts.ljubljana.name: '\\u202e' has a line break or"),
        (ACCOUNT, "place = 5", ":12: accounts.ljubljana.place: must be a table; write [accounts."),
        (ACCOUNT, "place = {}", ":12: accounts.ljubljana.place.name: is missing; write name = "),
        (
            ACCOUNT,
            'timezone = "Zagreb"',
            ':12: accounts.ljubljana.timezone: "Zagreb" is not a time z',
        ),
        (
            ACCOUNT,
            'send_at = "6:00"',
            ':12: accounts.ljubljana.send_at: "6:00" is not a time of day; ',
        ),
        (
            ACCOUNT,
            "send_at = 6",
            ":12: accounts.ljubljana.send_at: must be a time of day in quotes",
        ),
        (
            ACCOUNT,
            'order_url = "https://x"',
            ':12: accounts.ljubljana.order_url: "https://x" must ',
        ),
        (
            ACCOUNT,
            'order_url = "http://x.example/{id}"',
            ':12: accounts.ljubljana.order_url: "http://x.example/{id}" is not encrypted; write it',
        ),
        (
            ACCOUNT,
            'client_id_file = "x"',
            ":12: accounts.ljubljana.client_id_file: is set as well as client_id; keep one",
        ),
        (GROUP, '[groups."a@b"]\nmembers = ["x@example.com"]', ':7: groups."a@b": "a@b" cannot'),
        (
            GROUP,
            '[groups."my.group"]\nmembers = ["nobody"]',
            ':8: groups."my.group".members[0]: "nobody" has no "@" and is no contact group; write',
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_way_out(
    tmp_path: Path, table: str, line: str, problem: str
) -> None:
    new = f"{line}\n{table}" if line.startswith("[") else f"{table}\n{line}"

    (told,) = problems(tmp_path, changed((table, new)))

    assert told.startswith(f"config.toml{problem}")


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('[store]\nurl = "mysql://me:canary@db/n"', "store.url: is not a database of the notifier"),
        ('[store]\nurl = "sqlite:///store.db"', "store.url: is not a database of the notifier"),
        ('[store]\npath = "a"\nurl = "sqlite:////b"', "store.url: is set as well as store.path"),
        ('[store]\npath = "what?.db"', 'store.path: "what?.db" contains ? or %'),
        ("[store]\nretention_days = 0", "store.retention_days: must be at least 1"),
        ('[marketplace]\nbase_url = "http://x.example"', 'marketplace.base_url: "http://x.example'),
        (
            '[marketplace]\nbase_url = "https://me:canary@x"',
            "marketplace.base_url: has a user name",
        ),
        ('[marketplace]\nbase_url = "https://x/?a=canary"', "marketplace.base_url: has a query or"),
        ('[marketplace]\nbase_url = "https://x/#canary"', "marketplace.base_url: has a query or"),
        (
            '[marketplace]\nbase_url = "https://x:99999"',
            "marketplace.base_url: is not a web address",
        ),
        ('[marketplace]\nbase_url = "https://[::1"', "marketplace.base_url: is not a web address"),
        ('[marketplace]\nbase_url = "https://"', "marketplace.base_url: is not a web address"),
        ('[marketplace]\nbase_url = "https://a b"', "marketplace.base_url: is not a web address"),
        ('[marketplace]\nbase_url = "ftp://127.0.0.1"', 'marketplace.base_url: "ftp://127.0.0.1" '),
        ("[marketplace]\npage_size = 1001", "marketplace.page_size: must be at most 1000"),
        ('[digest]\ntemplates_dir = "no"', 'digest.templates_dir: "no" is not a directory'),
        ("[digest]\nwhen_empty = true", 'digest.when_empty: must be one of "send" or "skip"'),
        ("digest = 5", "accounts.ljubljana.digest: is not an option; the options here are"),
        ("[[digest]]", "digest: must be a table; write [digest]"),
        ("[accounts.x]\nrecipients = []\nclient_id = '1'", "accounts.x.recipients: nobody would g"),
        (
            "[accounts.x]\nrecipients = 'a'\nclient_id = '1'",
            "accounts.x.recipients: must be a list",
        ),
        ("[groups.x]\nmembers = []", "groups.x.members: must not be empty; write members = ["),
        ("[groups.x]", "groups.x.members: is missing; write members = ["),
    ],
)
def test_a_mistake_in_a_section_is_told_without_showing_what_may_be_secret(
    tmp_path: Path, section: str, says: str
) -> None:
    (told,) = problems(tmp_path, SAMPLE + section)

    assert says in told
    assert "canary" not in told


@pytest.mark.parametrize(
    "account", ["Ljubljana", "a b", "a--b", "a__b", "-a", "a_", "", "č", "a" * 41, "a\\nb", "a.b/c"]
)
def test_an_account_id_is_plain_because_files_and_variables_bear_it(
    tmp_path: Path, account: str
) -> None:
    text = changed(("[accounts.ljubljana]", f'[accounts."{account}"]'))

    (told,) = problems(tmp_path, text)

    assert "cannot be the id of an account; write up to 40 lowercase letters" in told
    assert told.startswith("config.toml:11: accounts.")


@pytest.mark.parametrize(
    ("url"),
    ["http://127.0.0.1:8080", "http://localhost/", "http://[::1]:8080", "https://x.example/a"],
)
def test_a_marketplace_on_this_machine_needs_no_encryption(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, SAMPLE + f'[marketplace]\nbase_url = "{url}"')

    assert settings.accounts["ljubljana"].marketplace.base_url == url.rstrip("/")


def test_certificates_to_trust_are_taken_from_a_file(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    settings = load(tmp_path, changed(("host =", 'ca_file = "ca.pem"\nhost =')))

    assert settings.smtp.ca_file == tmp_path / "ca.pem"


ELEVEN = [f"person{number}@example.com" for number in range(11)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ('["jana@example.com", "warehouse"]', str(ELEVEN)),
            [":13: accounts.ljubljana.recipients: 11 entries, but at most 10 are allowed; take"],
        ),
        (
            ('["ana@example.com", "pavol@example.com"]', str(ELEVEN)),
            [
                ":8: groups.warehouse.members: 11 mailboxes after groups are resolved, but at most",
            ],
        ),
        (
            ('"pavol@example.com"]', '"warehouse"]'),
            [
                (
                    ':8: groups.warehouse.members[1]: group "warehouse" contains itself '
                    "(warehouse → warehouse); remove one of them"
                )
            ],
        ),
        (
            ('"warehouse"]', '"werehouse"]'),
            [':13: accounts.ljubljana.recipients[1]: "werehouse" has no "@" and is no contact'],
        ),
        (
            ('"jana@example.com", "w', '"jana@example.com\\nBcc: eve@example.com", "w'),
            [":13: accounts.ljubljana.recipients[0]: 'jana@example.com\\nBcc: eve@example.com' c"],
        ),
    ],
    ids=["eleven recipients", "group of eleven", "cycle", "unknown group", "line break"],
)
def test_wrong_recipients_are_told_once_where_they_are_wrong(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    found = problems(tmp_path, changed(change))

    assert len(found) == len(told)
    for problem, start in zip(found, told, strict=True):
        assert problem.startswith(f"config.toml{start}")


def test_a_mistake_in_a_group_is_told_once_however_often_the_group_is_named(
    tmp_path: Path,
) -> None:
    text = changed(('"pavol@example.com"', '"pavol@exmple", "outer"'))
    more = """
[groups.outer]
members = ["warehouse", "warehouse"]
[groups.third]
members = ["outer", "nobody"]
[accounts.zagreb]
client_id = "2"
recipients = ["third", "outer"]
"""

    assert [problem.partition(";")[0] for problem in problems(tmp_path, text + more)] == [
        'config.toml:8: groups.warehouse.members[1]: "pavol@exmple" has no valid domain',
        (
            'config.toml:8: groups.warehouse.members[2]: group "warehouse" contains itself '
            "(warehouse → outer → warehouse)"
        ),
        'config.toml:18: groups.third.members[1]: "nobody" has no "@" and is no contact group',
    ]


def test_groups_that_are_a_thicket_are_told_in_no_time(tmp_path: Path) -> None:
    names = [f"g{number}" for number in range(100)]
    members = "".join(f'  "{name}",\n' for name in names)
    thicket = "".join(f"[groups.{name}]\nmembers = [\n{members}]\n" for name in names[1:])

    found = problems(tmp_path, SAMPLE + thicket)

    assert len([problem for problem in found if "contains itself" in problem]) == 10


def test_more_groups_than_anybody_has_are_refused(tmp_path: Path) -> None:
    many = "".join(f'[groups.g{number}]\nmembers = ["g{number + 1}"]\n' for number in range(100))

    assert problems(tmp_path, SAMPLE + many) == [
        "config.toml:7: groups: must not be more than 100; remove some"
    ]


def test_ten_recipients_two_accounts_and_an_unused_group_are_fine(tmp_path: Path) -> None:
    more = f"""
[groups.unused]
members = ["warehouse"]
[accounts.zagreb]
client_id = "2"
recipients = {ELEVEN[:10]}
"""

    assert list(load(tmp_path, SAMPLE + more).accounts) == ["ljubljana", "zagreb"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"admin = \xff", "config.toml:1: is not UTF-8; save the file in that encoding"),
        (b"\n\nadmin = 'Jos\xe9'", "config.toml:3: is not UTF-8; save the file in that encoding"),
        ("admin".encode("utf-16"), "config.toml:1: is not UTF-8; save the file in that encoding"),
        ("\n[smtp\nhost = 1", "config.toml:2: is not TOML: "),
        ('[smtp]\npassword = "canary', "config.toml:2: is not TOML: "),
        ("[smtp]\npassword = canary\n", "config.toml:2: is not TOML: Invalid value; text belongs"),
        ("a = [\n1,\n", "config.toml:2: is not TOML: "),
        ("a = 1\na = 2", "config.toml:2: is not TOML: Cannot overwrite a value"),
        ("a = 2026-02-30", "config.toml:1: is not TOML: "),
        ("a = " + "9" * 5000, "config.toml:1: is longer than 1000 characters; break the line"),
        ("a." * 100_000, "config.toml:1: is longer than 1000 characters; break the line"),
        ("a = " + "[\n" * 50_000, "config.toml: is nested too deeply"),
        ('a = "\\uD800"', "config.toml:1: is not TOML: "),
        (b" " * (256 * 1024 + 1), "config.toml: is larger than 256 KiB; that cannot be the right"),
    ],
    ids=range(14),
)
def test_what_is_no_toml_is_told_with_the_line_that_breaks_it(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    (problem,) = problems(tmp_path, text)

    assert problem.startswith(told)
    assert "canary" not in problem


def reason(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(path, environ={})
    (problem,) = caught.value.problems
    assert problem.source == str(path)
    return problem.message


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")

    assert reason(tmp_path / "no.toml") == (
        "does not exist; write one with `notifier init`, or name another with --config"
    )
    assert reason(tmp_path) == "is a directory; name a file"
    assert reason(tmp_path / "pipe") == "is a device or pipe; name an ordinary file"
    assert reason(Path("/dev/zero")) == "is a device or pipe; name an ordinary file"
    assert reason(tmp_path / "loop").startswith("cannot be read (")
    assert reason(tmp_path / "file" / "config.toml").startswith("cannot be read (")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told_as_that(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, SAMPLE, 0o000)

    assert told.startswith("config.toml: may not be read by this user")
