"""An account that reads a file: every mistake in it, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier import config
from notifier.config.warnings import find_warnings
from notifier.domain.settings import FileAccess, FileFormat, Secret, Settings
from tests.config.sample import changed, load, problems

CLIENT_ID = 'client_id = "canary-client-id"\n'
ADDRESS = "https://erp.example.com/canary-token/orders.csv"
COLUMNS = '[accounts.ljubljana.file.columns]\nid = "Order"\n'


def text(file: str, columns: str = "", keep: str = "") -> str:
    """A configuration whose account reads a file; its `[…file]` is in line 13."""
    more = f"[accounts.ljubljana.file]\n{file}\n{COLUMNS}{columns}"
    return changed((CLIENT_ID, keep), more=more)


def reads(settings: Settings) -> FileAccess:
    access = settings.accounts["ljubljana"].access
    assert isinstance(access, FileAccess)
    return access


def wrong(folder: Path, *texts: str, mode: int = 0o600, **environ: str) -> list[str]:
    """What is wrong, without the name of the file and the account."""
    told = problems(folder, text(*texts), mode, **environ)
    return [one.removeprefix("config.toml:").replace("accounts.ljubljana.", "") for one in told]


def test_a_path_counts_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    access = reads(load(tmp_path, text('location = "orders.csv"'), 0o644))

    assert access == FileAccess(
        tmp_path / "orders.csv", FileFormat.CSV, {"id": "Order"}, "Europe/Prague"
    )


def test_everything_that_can_be_said_of_a_file_arrives(tmp_path: Path) -> None:
    said = """\
location = "orders.txt"
format = "csv"
delimiter = "\\t"
encoding = "cp1250"
decimal = ","
date_format = "%d.%m.%Y"
currency = "EUR"
ready_values = ["Na izpostavi", " READY "]
collected_values = ["Prevzeto"]
max_age_hours = 80"""

    access = reads(load(tmp_path, text(said, 'ready = "Stanje"\nsku = "Šifra"\n')))

    assert (access.format, access.delimiter, access.encoding) == (FileFormat.CSV, "\t", "cp1250")
    assert (access.decimal, access.date_format, access.currency) == (",", "%d.%m.%Y", "EUR")
    assert access.ready_values == {"na izpostavi", "ready"}
    assert access.collected_values == {"prevzeto"}
    assert access.max_age == timedelta(hours=80)
    assert access.columns == {"id": "Order", "ready": "Stanje", "sku": "Šifra"}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("orders.JSON", FileFormat.JSON),
        ("https://e.example.com/o.json?as=orders.csv", FileFormat.JSON),
        ("https://e.example.com/orders.csv", FileFormat.CSV),
    ],
)
def test_the_end_of_the_name_tells_what_it_is_written_in(
    tmp_path: Path, name: str, form: FileFormat
) -> None:
    assert reads(load(tmp_path, text(f'location = "{name}"'))).format is form


@pytest.mark.parametrize(
    ("file", "columns", "told"),
    [
        ("", "", "13: file.location: is missing; write location ="),
        ('location = ""', "", '14: file.location: is not a path or an address; write "orders.csv"'),
        ("location = 5", "", "14: file.location: must be text in quotes"),
        ('location = "no/orders.csv"', "", '"no" is not a folder; check the path'),
        ('location = "."', "format", "is a folder; name a file in it"),
        (
            'location = "http://erp.example.com/o.csv"',
            "",
            "14: file.location: is not encrypted; write an https address, or a path",
        ),
        ('location = "ftp://e.example.com/o.csv"', "", "is not an https address; write an"),
        ('location = "https:///o.csv"', "", "is not a web address; write an https address"),
        ('location = "orders.xlsx"', "", "13: file.format: is missing, and the name of the file"),
        ('location = "orders.csv"\nformat = "xml"', "", 'must be one of "csv" or "json"'),
        ('location = "o.csv"\ndelimiter = ";;"', "", '";;" is not a delimiter; write ","'),
        (
            'location = "o.csv"\nencoding = "utf8000"',
            "",
            '"utf8000" is not an encoding; write "utf-8',
        ),
        ('location = "o.csv"\nencoding = "hex"', "", '"hex" is not an encoding; write "utf-8-sig"'),
        (
            'location = "o.csv"\ndecimal = "x"',
            "",
            '"x" is not a decimal separator; write "." or ","',
        ),
        (
            'location = "o.csv"\ndate_format = "DD.MM."',
            "",
            'contains no date; write "%d.%m.%Y" for',
        ),
        ('location = "o.csv"\ncurrency = "€"', "", '"€" is not a currency code; write "EUR"'),
        ('location = "o.csv"\nmax_age_hours = 0', "", "must be at least 1; write max_age_hours"),
        ('location = "o.csv"\nrecords = "data"', "", "does not apply to csv files; remove the"),
        ('location = "o.json"\ndelimiter = ";"', "", "does not apply to json files; remove the"),
        (
            'location = "o.csv"',
            'ready = "Status"',
            "13: file.ready_values: is missing, but columns.ready is set; list the values of",
        ),
        (
            'location = "o.csv"\nready_values = ["x"]',
            "",
            "15: file.ready_values: is set without columns.ready; name the column that holds them",
        ),
        (
            'location = "o.csv"\nready_values = ["x", "Č"]\ncollected_values = ["C\u030c  "]',
            'ready = "Status"',
            "16: file.collected_values: has a value that is also in ready_values",
        ),
        (
            'location = "o.csv"',
            "titel = 'x'",
            "17: file.columns.titel: is not an option; did you mean",
        ),
        (
            'location = "o.csv"\nlocation_file = "address"',
            "",
            "15: file.location_file: is set as well as location; keep one of the two",
        ),
    ],
)
def test_every_mistake_is_told_where_it_stands(
    tmp_path: Path, file: str, columns: str, told: str
) -> None:
    found = wrong(tmp_path, file, columns if columns != "format" else "")

    assert [one for one in found if told in one], found


def test_a_table_of_columns_is_asked_for(tmp_path: Path) -> None:
    more = '[accounts.ljubljana.file]\nlocation = "o.csv"\n'

    (told,) = problems(tmp_path, changed((CLIENT_ID, ""), more=more))

    assert told.endswith(
        "accounts.ljubljana.file.columns: is missing; write [accounts.ljubljana.file.columns]"
    )


def test_an_account_has_the_marketplace_or_a_file(tmp_path: Path) -> None:
    (told,) = wrong(tmp_path, 'location = "orders.csv"', "", CLIENT_ID)

    assert told == (
        "12: client_id: applies only to marketplace accounts, and this one reads a file; "
        "remove one of them"
    )


def test_an_address_is_a_secret(tmp_path: Path) -> None:
    (told,) = wrong(tmp_path, f'location = "{ADDRESS}"', mode=0o644)
    settings = load(tmp_path, text(f'location = "{ADDRESS}"'))

    assert told.startswith("14: file.location: is a secret in a file that is open to every user")
    assert reads(settings).location == Secret(ADDRESS)
    assert "canary" not in repr(settings) + told


def test_no_message_about_an_address_shows_it(tmp_path: Path) -> None:
    for broken in ("http://", "ftp://", "https://[", "https:// "):
        told = wrong(tmp_path, f'location = "{broken}canary.example.com/o.csv"')

        assert told
        assert "canary" not in "".join(told)


def test_an_address_comes_from_where_other_secrets_come_from(tmp_path: Path) -> None:
    for name in ("address", "location-ljubljana"):
        (tmp_path / name).write_text(f"{ADDRESS}?from={name}", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    variable = {"NOTIFIER_ACCOUNTS__LJUBLJANA__FILE__LOCATION": f"{ADDRESS}?from=environment"}
    handed = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    named = text('location_file = "address"')

    def source(written: str, environ: dict[str, str]) -> str:
        location = reads(load(tmp_path, written, 0o644, **environ)).location
        assert isinstance(location, Secret)
        return location.value.partition("from=")[2]

    assert source(named, variable) == "environment"
    assert source(named, handed) == "address"
    assert source(text(""), handed) == "location-ljubljana"
    (tmp_path / "address").chmod(0o644)
    assert (
        "is open to every user of this machine" in wrong(tmp_path, 'location_file = "address"')[0]
    )


def test_the_address_is_known_on_a_day_the_file_is_broken(tmp_path: Path) -> None:
    file, at = tmp_path / "config.toml", datetime(2026, 11, 23, tzinfo=UTC)
    settings = load(tmp_path, text(f'location = "{ADDRESS}"'))

    config.keep(file, settings, environ={}, good_at=at)
    file.write_text("")
    kept = config.recall(file, environ={})

    assert kept is not None
    assert kept.settings == settings


def test_no_credential_is_compared_with_a_file(tmp_path: Path) -> None:
    settings = load(tmp_path, text('location = "orders.csv"'))

    assert not [one for one in find_warnings(settings, datetime.now(UTC)) if "client_id" in one]
