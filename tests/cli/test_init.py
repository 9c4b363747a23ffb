"""`notifier init`: a first configuration that is right, and nobody's file lost."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from notifier import config
from notifier.cli.commands.init import command
from notifier.cli.context import Invocation
from notifier.domain.settings import Settings, Tls
from notifier.errors import ConfigError

FLAGS = [
    *("--yes", "--account-name", "Mimovrste", "--client-id", "canary-id"),
    *("--recipient", "Jana Novak <jana@example.com>", "--recipient", "ana@example.com"),
    *("--admin", "admin@example.com", "--smtp-host", "smtp.example.com"),
]


def init(
    file: Path | None, *flags: str, typed: str = "", environ: Mapping[str, str] | None = None
) -> Result:
    invocation = Invocation(file, environ=environ or {})
    return CliRunner().invoke(command, flags, obj=invocation, input=typed)


def written(file: Path) -> Settings:
    return config.load(file, environ={})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration is to be."""
    return tmp_path / "config.toml"


def test_flags_alone_make_a_configuration_that_is_right_and_private(file: Path) -> None:
    result = init(file, *FLAGS)
    settings = written(file)
    account = settings.accounts["mimovrste"]

    assert result.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert account.marketplace.client_id.value == "canary-id"
    assert [str(one.mailbox) for one in account.recipients] == [
        "Jana Novak <jana@example.com>",
        "ana@example.com",
    ]
    assert str(settings.sender.mailbox) == "admin@example.com"
    assert (settings.smtp.port, settings.smtp.tls) == (465, Tls.IMPLICIT)
    assert "canary" not in result.output


def test_it_says_what_comes_next(file: Path) -> None:
    result = init(file, *FLAGS)

    assert f"Wrote {file}; only you can read it." in result.stdout
    assert f"notifier --config {file} check --online" in result.stdout
    assert f"notifier --config {file} run" in result.stdout


def test_questions_are_asked_until_the_answers_are_right(file: Path) -> None:
    answers = [
        "Čiča & sinovi, d.o.o.",
        "canary-id",
        '"Novak, Jana" <jana@exmple>, ana@example.com',
        '"Novak, Jana" <jana@example.com>, ana@example.com',
        'Branch "A\\B"',
        "admin",
        "admin@example.com",
        "smtp.example.com:25",
        "smtp.example.com",
        "many",
        "587",
        "digest@example.com",
        "canary password",
        "",
        "7:00",
        "07:00",
        "Ljubljana",
        "Europe/Ljubljana",
        "xx",
        "sl",
    ]

    result = init(file, typed="\n".join(answers) + "\n")
    settings = written(file)
    account = settings.accounts["cica-sinovi-d-o-o"]

    assert result.exit_code == 0, result.output
    for objection in (
        "has no valid domain; write name@domain",
        '"admin" is not an address; write name@domain',
        '"smtp.example.com:25" is not a host name',
        "must be a whole number; write port = 465",
        '"7:00" is not a time of day',
        'write "Europe/Ljubljana"',
        '"xx" is not a language of the notifier',
    ):
        assert objection in result.output
    assert account.name == "Čiča & sinovi, d.o.o."
    assert [one.mailbox.name for one in account.recipients] == ["Novak, Jana", ""]
    assert account.place is not None
    assert account.place.name == 'Branch "A\\B"'
    assert (settings.smtp.port, settings.smtp.tls) == (587, Tls.STARTTLS)
    assert settings.smtp.password is not None
    assert settings.smtp.password.value == "canary password"
    assert settings.sender.mailbox.address == "digest@example.com"
    assert (account.schedule.timezone, account.language) == ("Europe/Ljubljana", "sl")
    assert "canary" not in result.output


def test_enter_takes_the_default_and_no_login_asks_for_no_password(file: Path) -> None:
    answers = ["Shop", "id", "a@example.com", "", "b@example.com", "localhost", "2525"]

    result = init(file, typed="\n".join(answers) + "\n" * 6)
    settings = written(file)

    assert result.exit_code == 0, result.output
    assert "Password" not in result.output
    assert (settings.smtp.username, settings.smtp.tls) == (None, Tls.NONE)
    assert settings.accounts["shop"].place is None
    assert settings.sender.mailbox.address == "b@example.com"


def test_what_was_given_as_a_flag_is_not_asked(file: Path) -> None:
    result = init(file, *FLAGS[1:], typed="\n" * 8)

    assert result.exit_code == 0, result.output
    assert "Mail server" not in result.output
    assert list(written(file).accounts) == ["mimovrste"]


def test_secrets_can_stay_in_files_of_their_own(file: Path) -> None:
    for name in ("client-id", "password"):
        (file.parent / name).write_text(f"canary-{name}", encoding="utf-8")
        (file.parent / name).chmod(0o600)
    flags = [flag for flag in FLAGS if flag not in {"--client-id", "canary-id"}]
    secrets = [
        *("--client-id-file", str(file.parent / "client-id"), "--smtp-username", "me"),
        *("--smtp-password-file", str(file.parent / "password")),
    ]

    result = init(file, *flags, *secrets)
    settings = written(file)

    assert result.exit_code == 0, result.output
    assert "canary" not in file.read_text(encoding="utf-8")
    assert settings.accounts["mimovrste"].marketplace.client_id.value == "canary-client-id"
    assert settings.smtp.password is not None
    assert settings.smtp.password.value == "canary-password"


def test_values_are_escaped_whatever_is_in_them(file: Path) -> None:
    name = 'A "B" \\ [c] = \'d\' # é\u00df""" {id}'

    init(file, *FLAGS, "--account-name", name, "--place", name)
    (account,) = written(file).accounts.values()

    assert account.name == name
    assert account.place is not None
    assert account.place.name == name


def test_a_name_without_plain_letters_gets_an_id_all_the_same(file: Path) -> None:
    init(file, *FLAGS, "--account-name", "магазин")

    assert list(written(file).accounts) == ["account"]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--recipient", "jana@exmple"], '--recipient: "jana@exmple" has no valid domain'),
        (["--account-name", "a\nb"], "--account-name: 'a\\nb' has a line break"),
        (["--smtp-port", "0"], "--smtp-port: must be at least 1"),
        (["--client-id", "canary\n"], "--client-id: has a line break or control character"),
        (
            ["--timezone", "Zagreb"],
            '--timezone: "Zagreb" is not a time zone; write "Europe/Zagreb"',
        ),
    ],
)
def test_a_wrong_flag_is_named_and_nothing_is_written(
    file: Path, flags: list[str], says: str
) -> None:
    result = init(file, *FLAGS, *flags)

    assert result.exit_code == 2
    assert says in result.stderr
    assert "canary\n" not in result.output
    assert list(file.parent.iterdir()) == []


def test_without_questions_all_that_is_missing_is_named_at_once(file: Path) -> None:
    result = init(file, "--yes", "--smtp-host", "smtp.example.com")

    assert result.exit_code == 2
    assert "--yes needs --account-name, --client-id, --recipient, --admin" in (result.stderr)


def test_a_configuration_that_is_there_stays_unless_it_is_forced_away(file: Path) -> None:
    file.write_text("precious", encoding="utf-8")

    refused = init(file, *FLAGS)
    kept = file.read_text(encoding="utf-8")
    forced = init(file, *FLAGS, "--force")

    assert (refused.exit_code, kept) == (2, "precious")
    assert "already exists; --force replaces it" in refused.stderr
    assert forced.exit_code == 0
    assert list(written(file).accounts) == ["mimovrste"]


def test_it_goes_where_the_other_commands_look_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    here = init(None, *FLAGS)
    named = init(None, *FLAGS, environ={"NOTIFIER_CONFIG": "named.toml"})

    assert (here.exit_code, named.exit_code) == (0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "named.toml"]
    assert "  notifier check --online" in here.stdout


def test_a_folder_that_is_not_there_is_told_with_the_way_out(file: Path) -> None:
    result = init(file.parent / "no" / "config.toml", *FLAGS)

    assert isinstance(result.exception, ConfigError)
    assert "cannot be written (No such file or directory); name another file" in (
        str(result.exception)
    )


def test_nobody_at_the_keyboard_is_told_of_the_way_without_one(file: Path) -> None:
    result = init(file, typed="Shop\n")

    assert result.exit_code == 2
    assert "standard input is not a terminal" in result.stderr
    assert "--yes asks nothing, and needs --account-name, --client-id, --recipient, --admin" in (
        result.stderr
    )
    assert list(file.parent.iterdir()) == []


def test_nobody_at_the_keyboard_with_all_that_is_needed_only_lacks_the_flag(file: Path) -> None:
    result = init(file, *FLAGS[1:])

    assert result.exit_code == 2
    assert "--yes asks nothing, and needs nothing more" in result.stderr


def test_a_closed_input_is_nobody_at_the_keyboard(file: Path) -> None:
    program = (sys.executable, "-m", "notifier", "--config", str(file), "init")
    finished = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert finished.returncode == 2
    assert "standard input is not a terminal" in finished.stderr


@pytest.mark.parametrize(
    ("flags", "environ", "says"),
    [
        (
            ["--smtp-username", "me"],
            {},
            (
                "--smtp-username: has no password; name the file that holds it with "
                "--smtp-password-file, or set NOTIFIER_SMTP__PASSWORD"
            ),
        ),
        (
            [],
            {"NOTIFIER_SMTP__USERNAME": "me"},
            (
                "NOTIFIER_SMTP__USERNAME: smtp.username: has no password; write password_file = "
                '"smtp-password", or set NOTIFIER_SMTP__PASSWORD'
            ),
        ),
        (
            [],
            {"NOTIFIER_SMTP__PASSWORD": "canary"},
            (
                "NOTIFIER_SMTP__PASSWORD: smtp.password: is set without smtp.username; "
                "write that too, or set NOTIFIER_SMTP__USERNAME"
            ),
        ),
        (
            ["--smtp-username", "me", "--smtp-password-file", "/no/file"],
            {},
            (
                '--smtp-password-file: "/no/file" does not exist; write the password into it, and '
                "nothing else, and run chmod 600 /no/file; or set NOTIFIER_SMTP__PASSWORD instead"
            ),
        ),
    ],
    ids=["login by flag", "login by environment", "password by environment", "no such file"],
)
def test_half_a_login_is_told_by_what_was_given_and_not_by_a_line_of_no_file(
    file: Path, flags: list[str], environ: dict[str, str], says: str
) -> None:
    result = init(file, *FLAGS, *flags, environ=environ)

    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == says
    assert list(file.parent.iterdir()) == []


def test_a_login_by_environment_needs_no_flags(file: Path) -> None:
    environ = {"NOTIFIER_SMTP__USERNAME": "me", "NOTIFIER_SMTP__PASSWORD": "canary"}

    assert init(file, *FLAGS, environ=environ).exit_code == 0
