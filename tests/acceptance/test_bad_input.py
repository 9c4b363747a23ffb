"""Wrong input ends in one clear message with a remedy and the documented exit code."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from notifier.domain.ledger import MessageKind, MessageState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World
from tests.canaries import CLIENT_ID, SMTP_LOGIN

Change = Callable[[World], None]


def replace_in_config(*changes: tuple[str, str], more: str = "") -> Change:
    return lambda world: world.configure(*changes, more=more)


def remove_config(world: World) -> None:
    world.config.unlink()


def make_config_a_directory(world: World) -> None:
    world.config.unlink()
    world.config.mkdir()


def make_config_world_readable(world: World) -> None:
    world.config.chmod(0o644)


ELEVEN = ", ".join(f'"r{n}@example.com"' for n in range(11))
RECIPIENTS = '["office@example.com", "warehouse"]'


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        pytest.param(remove_config, "notifier init", id="missing file"),
        pytest.param(make_config_a_directory, "directory", id="directory"),
        pytest.param(replace_in_config(("[smtp]", "[smtp")), "config.toml:3", id="broken TOML"),
        pytest.param(
            replace_in_config(('tls = "none"', 'tls = "none"\ntimeout_seconds = "soon"')),
            "smtp.timeout_seconds",
            id="wrong type",
        ),
        pytest.param(
            replace_in_config(("recipients =", "recipents =")), '"recipients"', id="unknown key"
        ),
        pytest.param(
            replace_in_config((RECIPIENTS, f"[{ELEVEN}]")), "at most 10", id="eleven recipients"
        ),
        pytest.param(
            replace_in_config(('"warehouse"]', '"werehouse"]')), '"warehouse"', id="unknown group"
        ),
        pytest.param(
            replace_in_config(('["jana@example.com",', '["warehouse", "jana@example.com",')),
            "contains itself",
            id="group that contains itself",
        ),
        pytest.param(
            replace_in_config(
                ('"office@example.com"', '"office@example.com\\nBcc: x@example.com"')
            ),
            "line break",
            id="address with a line break",
        ),
        pytest.param(
            replace_in_config(more='timezone = "Europe/Prag"\n'), "Europe/Prague", id="unknown zone"
        ),
        pytest.param(replace_in_config(more='language = "xx"\n'), "en", id="unknown language"),
        pytest.param(make_config_world_readable, "chmod", id="world-readable secret"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_wrong_configuration_is_refused_with_a_remedy(
    world: World, change: Change, hint: str, command: str
) -> None:
    change(world)

    finished = await world.call(command)

    assert finished.code == ExitCode.CONFIG
    assert hint in finished.err
    assert str(world.config.name) in finished.err
    assert "Traceback" not in finished.err
    assert len(finished.err.splitlines()) == 1
    assert CLIENT_ID not in finished.err
    assert world.receivers == []
    assert world.marketplace.requests == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        pytest.param(
            lambda world: world.configure((world.base_url, "http://127.0.0.1:1")),
            ExitCode.TRY_LATER,
            "127.0.0.1:1 cannot be reached; check marketplace.base_url",
            id="refusing marketplace",
        ),
        pytest.param(
            lambda world: world.configure((world.base_url, "https://marketplace.invalid")),
            ExitCode.TRY_LATER,
            "marketplace.invalid",
            id="unreachable marketplace",
        ),
        pytest.param(
            replace_in_config((CLIENT_ID, "another-client-id")),
            ExitCode.REFUSED,
            "client_id",
            id="wrong client_id",
        ),
    ],
)
async def test_a_marketplace_that_cannot_be_read_is_reported_and_tried_again(
    world: World, change: Change, code: ExitCode, hint: str
) -> None:
    change(world)

    finished = await world.call("run", "--now")

    assert finished.code == code
    assert hint in finished.err
    assert "Traceback" not in finished.err
    assert "another-client-id" not in finished.out + finished.err
    assert await digest_recipients(world) == []

    world.configure()
    assert (await world.call("run", "--now")).code == ExitCode.DONE
    assert await digest_recipients(world) == EVERYBODY


async def digest_recipients(world: World) -> list[str]:
    """Return the recipients of sent digests, without notices, which are due later in the day."""
    messages = [m for m in await world.outbox() if m.kind is MessageKind.DIGEST]
    return sorted(m.recipient for m in messages if m.state is MessageState.SENT)


@pytest.mark.slow
async def test_an_unreachable_mail_server_is_reported_and_every_message_waits(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))

    finished = await world.call("run", "--now")

    assert finished.code == ExitCode.TRY_LATER
    assert "smtp.host" in finished.err
    assert "Traceback" not in finished.err
    assert "3 waiting" in finished.out

    world.configure()
    assert (await world.call("run")).code == ExitCode.DONE
    assert world.receivers == EVERYBODY


@pytest.mark.slow
async def test_a_wrong_password_is_reported_and_no_message_is_lost(world: World) -> None:
    world.configure((SMTP_LOGIN[1], "wrong-password"))

    finished = await world.call("run", "--now")

    assert finished.code == ExitCode.REFUSED
    assert "smtp.password" in finished.err
    assert "Traceback" not in finished.err
    assert "wrong-password" not in finished.out + finished.err
    assert world.receivers == []

    world.configure()
    assert (await world.call("run")).code == ExitCode.DONE
    assert world.receivers == EVERYBODY


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["run", "--account", "nowhere"], "ljubljana"),
        (["run", "--day", "tomorrow"], "YYYY-MM-DD"),
        (["run", "--day", "2999-01-01"], "has not begun"),
        (["orders", "--columns", "order,dais"], '"days"'),
        (["orders", "--filter", "days>=x"], "not a number"),
        (["orders", "--sort", "age"], "no column"),
        (["preview", "--language", "xx"], "sl"),
        (["preview", "--html", "-", "--text"], "name a file for it, or omit --text"),
        (["preview", "--html", "-", "--open"], "name a file for it, or omit --open"),
        (["send-test", "stranger@example.com"], "configured"),
        (["send-test", "no address"], "name@domain"),
        (["simulator", "--scenario", "busi_day"], "busy_day"),
    ],
)
async def test_a_wrong_command_line_is_refused_with_the_valid_choices(
    world: World, arguments: list[str], hint: str
) -> None:
    finished = await world.call(*arguments)

    assert finished.code == ExitCode.USAGE
    assert hint in finished.err
    assert "Traceback" not in finished.err
    assert finished.out == ""
    assert world.receivers == []


async def test_an_unwritable_output_does_not_stop_the_mail(world: World) -> None:
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123 - a device
        code = await world.call_into(full.fileno(), "run", "--now")

    assert code == ExitCode.STORE
    assert world.receivers == EVERYBODY


async def test_characters_missing_from_the_terminals_encoding_do_not_stop_the_mail(
    world: World,
) -> None:
    world.configure(('name = "Mimovrste"', 'name = "Šop 李"'))
    world.environ["PYTHONIOENCODING"] = "latin-1"

    finished = await world.call("run", "--now")

    assert (finished.code, world.receivers) == (0, EVERYBODY)
    assert "\\u0160op" in finished.out


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("orders", "--filter", "value>nan"),
        ("orders", "--filter", "overdue=maybe"),
        ("orders", "--filter", "days>"),
        ("orders", "--sort", ""),
        ("orders", "--columns", ","),
        ("run", "--day", "0001-01-01"),
        ("run", "--day", "2026-W47-1"),
        ("outbox", "retry", "99"),
        ("outbox", "--account", "nope"),
        ("runs", "--account", "nope"),
    ],
    ids=" ".join,
)
async def test_invalid_arguments_are_reported_and_call_nothing(
    world: World, arguments: tuple[str, ...]
) -> None:
    finished = await world.call(*arguments)

    assert finished.code == ExitCode.USAGE
    assert "Error: " in finished.err
    assert "Traceback" not in finished.err
    assert world.marketplace.requests == 0


@pytest.mark.slow
async def test_a_closed_output_pipe_is_no_error(world: World) -> None:
    await world.call("run", "--now")
    read, write = os.pipe()
    os.close(read)
    try:
        code = await world.call_into(write, "orders", "--format", "json")
    finally:
        os.close(write)

    assert code == ExitCode.DONE
