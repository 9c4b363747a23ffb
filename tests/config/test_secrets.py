"""Where secrets come from, who may read them, and that nobody else ever does."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.settings import Settings
from tests.config.sample import SAMPLE, changed, load, problems

INLINE = 'client_id = "canary-client-id"'
NO_CLIENT_ID = changed((f"{INLINE}\n", ""))
PASSWORD = ("host =", 'username = "me"\npassword = "canary"\nhost =')
LOGIN = ("host =", 'username = "me"\nhost =')


def keep(file: Path, text: str | bytes = "canary-from-file\n", mode: int = 0o600) -> Path:
    """A file with a secret in it."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def client_id(settings: Settings, account: str = "ljubljana") -> str:
    return settings.accounts[account].marketplace.client_id.value


@pytest.mark.parametrize("text", ["canary", "canary\n", "canary\r\n", "\ufeffcanary\n"])
def test_a_secret_can_stand_in_a_file_beside_the_configuration(tmp_path: Path, text: str) -> None:
    keep(tmp_path / "client-id", text)
    keep(tmp_path / "smtp-password", text)
    written = changed(
        (INLINE, 'client_id_file = "client-id"'),
        ("host =", 'username = "me"\npassword_file = "smtp-password"\nhost ='),
    )

    settings = load(tmp_path, written, 0o644)

    assert client_id(settings) == "canary"
    assert settings.smtp.password is not None
    assert settings.smtp.password.value == "canary"


def test_systemd_hands_over_secrets_by_name(tmp_path: Path) -> None:
    keep(tmp_path / "smtp-password", "canary-password", 0o444)
    keep(tmp_path / "client-id-ljubljana", "canary-1", 0o444)
    keep(tmp_path / "client-id", "canary-2", 0o444)
    text = changed((f"{INLINE}\n", ""), LOGIN)

    settings = load(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert client_id(settings) == "canary-1"
    assert settings.smtp.password is not None
    assert settings.smtp.password.value == "canary-password"


def test_a_single_account_needs_no_name_on_its_credential(tmp_path: Path) -> None:
    keep(tmp_path / "client-id")

    assert client_id(load(tmp_path, NO_CLIENT_ID, CREDENTIALS_DIRECTORY=str(tmp_path))) == (
        "canary-from-file"
    )


def test_of_several_accounts_each_needs_its_own(tmp_path: Path) -> None:
    keep(tmp_path / "client-id")
    keep(tmp_path / "client-id-zagreb")
    text = NO_CLIENT_ID + '[accounts.zagreb]\nrecipients = ["jana@example.com"]\n'

    (told,) = problems(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert told.startswith("config.toml:11: accounts.ljubljana.client_id: is missing; write")


def test_the_environment_counts_before_the_file_and_the_file_before_what_systemd_hands_over(
    tmp_path: Path,
) -> None:
    keep(tmp_path / "client-id", "handed-over")
    keep(tmp_path / "named", "named-in-the-environment")
    variable = "NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID"
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert client_id(load(tmp_path, **handed_over)) == "canary-client-id"
    assert client_id(load(tmp_path, **handed_over, **{variable: "said"})) == "said"
    assert client_id(load(tmp_path, **{f"{variable}_FILE": "named"})) == "named-in-the-environment"


def test_a_password_in_the_environment_counts_before_a_file_that_is_named(tmp_path: Path) -> None:
    text = changed(("host =", 'username = "me"\npassword_file = "not-there"\nhost ='))

    password = load(tmp_path, text, NOTIFIER_SMTP__PASSWORD="said").smtp.password

    assert password is not None
    assert password.value == "said"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0o600, "does not exist; write the client id into it, and nothing else"),
        (b"", 0o600, "is empty; write the secret into it, and nothing else"),
        (b" \n", 0o600, "is empty; write the secret into it, and nothing else"),
        (b"canary\ncanary\n", 0o600, "has more than one line; it must hold the secret and nothing"),
        (b"canary\x00", 0o600, "has more than one line; it must hold the secret and nothing else"),
        (b"canary\xff", 0o600, "is not UTF-8 text; it must hold the secret and nothing else"),
        (b"canary" * 2000, 0o600, "is larger than 8 KiB; that cannot be the right file"),
        (b"canary", 0o604, "is open to every user of this machine; run chmod 600 "),
        (b"canary", 0o602, "is open to every user of this machine; run chmod 600 "),
    ],
)
def test_a_file_that_holds_no_secret_or_no_longer_one_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, told: str
) -> None:
    if content is not None:
        keep(tmp_path / "secret", content, mode)

    (problem,) = problems(tmp_path, changed((INLINE, 'client_id_file = "secret"')))

    start = f'config.toml:12: accounts.ljubljana.client_id_file: "secret" {told}'
    assert problem.startswith(start)
    assert "canary" not in problem


def test_a_file_of_a_secret_that_is_not_there_is_told_with_every_way_out(tmp_path: Path) -> None:
    text = changed(
        (INLINE, 'client_id_file = "api-key"'),
        ("host =", 'username = "me"\npassword_file = "smtp-password"\nhost ='),
    )

    assert problems(tmp_path, text) == [
        (
            'config.toml:5: smtp.password_file: "smtp-password" does not exist; write the password '
            "into it, and nothing else, and run chmod 600 smtp-password; or set "
            "NOTIFIER_SMTP__PASSWORD instead"
        ),
        (
            'config.toml:14: accounts.ljubljana.client_id_file: "api-key" does not exist; '
            "write the client id into it, and nothing else, and run chmod 600 api-key; or set "
            "NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID instead"
        ),
    ]


def test_what_is_said_instead_of_a_file_that_is_not_there_serves(tmp_path: Path) -> None:
    variable = "NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID"
    text = changed((INLINE, 'client_id_file = "not-there"'))

    assert client_id(load(tmp_path, text, **{variable: "said"})) == "said"


def test_a_password_without_a_login_is_told_where_the_password_was_said(tmp_path: Path) -> None:
    keep(tmp_path / "smtp-password")
    named = changed(("host =", 'password_file = "smtp-password"\nhost ='))
    told = "is set without smtp.username; write that too, or set NOTIFIER_SMTP__USERNAME"

    assert problems(tmp_path, SAMPLE, NOTIFIER_SMTP__PASSWORD="canary") == [
        f"NOTIFIER_SMTP__PASSWORD: smtp.password: {told}"
    ]
    assert problems(tmp_path, named) == [f"config.toml:4: smtp.password_file: {told}"]


@pytest.mark.parametrize(
    "option",
    [
        "SMTP__USERNAME",
        "SMTP__PASSWORD",
        "SMTP__PASSWORD_FILE",
        "ACCOUNTS__LJUBLJANA__CLIENT_ID",
        "ACCOUNTS__LJUBLJANA__CLIENT_ID_FILE",
    ],
)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_one_problem_and_no_more(
    tmp_path: Path, option: str, value: str
) -> None:
    (told,) = problems(tmp_path, SAMPLE, **{f"NOTIFIER_{option}": value})

    assert told.startswith(f"NOTIFIER_{option}: ")
    assert ": is empty; write" in told


def test_a_directory_in_place_of_a_secret_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, changed((INLINE, 'client_id_file = "."')))

    assert "is a directory; name a file" in problem


def test_a_broken_credential_is_told_with_its_own_place(tmp_path: Path) -> None:
    keep(tmp_path / "client-id", "")

    told = problems(tmp_path, NO_CLIENT_ID, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert told[0] == (
        "client-id: accounts.ljubljana.client_id: "
        "is empty; write the secret into it, and nothing else"
    )


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SAMPLE, "config.toml:12: accounts.ljubljana.client_id"),
        (
            changed(
                (INLINE, 'client_id_file = "secret"'), LOGIN, ("host", 'password = "canary"\nhost')
            ),
            "config.toml:5: smtp.password",
        ),
        (
            changed((INLINE, 'client_id_file = "secret"'))
            + '[store]\nurl = "postgresql+psycopg://me:canary@db/n"\n',
            "config.toml:15: store.url",
        ),
    ],
    ids=["client_id", "password", "database"],
)
def test_a_secret_in_a_file_that_everybody_can_read_is_refused(
    tmp_path: Path, text: str, told: str, mode: int
) -> None:
    keep(tmp_path / "secret")

    assert problems(tmp_path, text, mode) == [
        (
            f"{told}: is a secret in a file that is open to every user of this machine; "
            "run chmod 600 config.toml"
        )
    ]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o400])
def test_a_secret_in_a_file_of_its_owner_and_group_is_fine(tmp_path: Path, mode: int) -> None:
    assert client_id(load(tmp_path, SAMPLE, mode)) == "canary-client-id"


def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path) -> None:
    settings = load(tmp_path, NO_CLIENT_ID, 0o644, NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID="canary")

    assert client_id(settings) == "canary"


TOKEN = "canary-token-0123456789-0123456789"


def tokens(settings: Settings) -> list[str]:
    return [token.value for token in settings.accounts["ljubljana"].webhook_tokens]


def test_a_token_of_the_webhook_comes_by_each_way_a_secret_comes(tmp_path: Path) -> None:
    keep(tmp_path / "token", f"{TOKEN}\n")
    keep(tmp_path / "webhook-token", TOKEN, 0o444)

    assert tokens(load(tmp_path, changed(more=f'webhook_token = "{TOKEN}"\n'))) == [TOKEN]
    assert tokens(load(tmp_path, changed(more='webhook_token_file = "token"\n'))) == [TOKEN]
    assert tokens(load(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path))) == [TOKEN]
    assert tokens(load(tmp_path)) == []


def test_a_pickup_password_comes_by_each_way_a_secret_comes(tmp_path: Path) -> None:
    place = '[accounts.ljubljana.place]\nname = "Center"\n'
    keep(tmp_path / "password", "canary-1\n")
    keep(tmp_path / "pickup-password", "canary-2", 0o444)

    def password(text: str, **environ: str) -> str | None:
        there = load(tmp_path, text, **environ).accounts["ljubljana"].place
        return there.pickup_password.value if there and there.pickup_password else None

    assert password(changed(more=f'{place}pickup_password = "canary-0"\n')) == "canary-0"
    assert password(changed(more=f'{place}pickup_password_file = "password"\n')) == "canary-1"
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password(changed(more=place), **handed_over) == "canary-2"
    assert password(changed(more=place)) is None


def test_a_pickup_password_is_read_by_nobody_else(tmp_path: Path) -> None:
    keep(tmp_path / "password", "canary\n", 0o644)
    text = '[accounts.ljubljana.place]\nname = "Center"\npickup_password_file = "password"\n'

    (told,) = problems(tmp_path, changed(more=text))

    assert "pickup_password_file: " in told
    assert "canary" not in told


def test_two_tokens_serve_while_one_takes_the_place_of_the_other(tmp_path: Path) -> None:
    keep(tmp_path / "token", f"{TOKEN} {TOKEN}-2")
    text = changed(more='webhook_token_file = "token"\n')

    assert tokens(load(tmp_path, text)) == [TOKEN, f"{TOKEN}-2"]


@pytest.mark.parametrize(
    "token", ["", "short", f"{TOKEN}/../x", f"{TOKEN} a b", f"{TOKEN} " * 3, "č" * 40]
)
def test_what_is_no_token_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    (told,) = problems(tmp_path, changed(more=f'webhook_token = "{token}"\n'))

    assert told.startswith("config.toml:14: accounts.ljubljana.webhook_token: is not a token")
    assert "openssl rand -hex 32" in told
    assert not token or token not in told


def test_nobody_is_trusted_to_tell_where_nobody_can(tmp_path: Path) -> None:
    trusting = "\n[marketplace]\ntrust_webhook = true\n"

    deaf = load(tmp_path, changed(more=trusting))
    hears = load(tmp_path, changed(more=f'webhook_token = "{TOKEN}"\n{trusting}'))

    assert not deaf.accounts["ljubljana"].marketplace.policy.trust_webhook
    assert hears.accounts["ljubljana"].marketplace.policy.trust_webhook
