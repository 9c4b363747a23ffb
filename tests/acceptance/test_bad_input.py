"""Whatever is wrong: one clear message with the way out, the documented code, nothing half-sent."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from notifier.domain.ledger import MessageKind, MessageState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World
from tests.canaries import CLIENT_ID, SMTP_LOGIN

Change = Callable[[World], None]


def replaced(*changes: tuple[str, str], more: str = "") -> Change:
    return lambda world: world.configure(*changes, more=more)


def remove(world: World) -> None:
    world.config.unlink()


def make_directory(world: World) -> None:
    world.config.unlink()
    world.config.mkdir()


def world_readable(world: World) -> None:
    world.config.chmod(0o644)


ELEVEN = ", ".join(f'"r{n}@example.com"' for n in range(11))
RECIPIENTS = '["office@example.com", "warehouse"]'


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        pytest.param(remove, "notifier init", id="missing file"),
        pytest.param(make_directory, "directory", id="directory"),
        pytest.param(replaced(("[smtp]", "[smtp")), "config.toml:3", id="broken TOML"),
        pytest.param(
            replaced(('tls = "none"', 'tls = "none"\ntimeout_seconds = "soon"')),
            "smtp.timeout_seconds",
            id="wrong type",
        ),
        pytest.param(replaced(("recipients =", "recipents =")), '"recipients"', id="unknown key"),
        pytest.param(replaced((RECIPIENTS, f"[{ELEVEN}]")), "at most 10", id="eleven recipients"),
        pytest.param(replaced(('"warehouse"]', '"werehouse"]')), '"warehouse"', id="unknown group"),
        pytest.param(
            replaced(('["jana@example.com",', '["warehouse", "jana@example.com",')),
            "contains itself",
            id="group that contains itself",
        ),
        pytest.param(
            replaced(('"office@example.com"', '"office@example.com\\nBcc: x@example.com"')),
            "line break",
            id="address with a line break",
        ),
        pytest.param(
            replaced(more='timezone = "Europe/Prag"\n'), "Europe/Prague", id="unknown zone"
        ),
        pytest.param(replaced(more='language = "xx"\n'), "en", id="unknown language"),
        pytest.param(world_readable, "chmod", id="world-readable secret"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_wrong_configuration_is_refused_with_the_way_out(
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
            replaced((CLIENT_ID, "another-client-id")),
            ExitCode.REFUSED,
            "client_id",
            id="wrong client_id",
        ),
    ],
)
async def test_a_marketplace_that_cannot_be_read_is_told_once_and_tried_again(
    world: World, change: Change, code: ExitCode, hint: str
) -> None:
    change(world)

    finished = await world.call("run", "--now")

    assert finished.code == code
    assert hint in finished.err
    assert "Traceback" not in finished.err
    assert "another-client-id" not in finished.out + finished.err
    assert await digests_to(world) == []

    world.configure()
    assert (await world.call("run", "--now")).code == ExitCode.DONE
    assert await digests_to(world) == EVERYBODY


async def digests_to(world: World) -> list[str]:
    """Who was sent a digest: later in the day there is a notice as well."""
    sent = [one for one in await world.outbox() if one.state is MessageState.SENT]
    return sorted(one.recipient for one in sent if one.kind is MessageKind.DIGEST)


async def test_an_unreachable_mail_server_is_told_and_every_message_waits(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))

    finished = await world.call("run", "--now")

    assert finished.code == ExitCode.TRY_LATER
    assert "smtp.host" in finished.err
    assert "Traceback" not in finished.err
    assert "3 waiting" in finished.out

    world.configure()
    assert (await world.call("run")).code == ExitCode.DONE
    assert world.receivers == EVERYBODY


async def test_a_wrong_password_is_told_and_nothing_is_lost(world: World) -> None:
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
async def test_a_wrong_command_line_is_answered_with_what_there_is(
    world: World, arguments: list[str], hint: str
) -> None:
    finished = await world.call(*arguments)

    assert finished.code == ExitCode.USAGE
    assert hint in finished.err
    assert "Traceback" not in finished.err
    assert finished.out == ""
    assert world.receivers == []


async def test_an_output_that_cannot_be_written_keeps_nobody_from_the_mail(world: World) -> None:
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123 - a device
        code = await world.call_into(full.fileno(), "run", "--now")

    assert code == ExitCode.STORE
    assert world.receivers == EVERYBODY


async def test_letters_that_the_terminal_has_not_keep_nobody_from_the_mail(world: World) -> None:
    world.configure(('name = "Mimovrste"', 'name = "Šop 李"'))
    world.environ["PYTHONIOENCODING"] = "latin-1"

    done = await world.call("run", "--now")

    assert (done.code, world.receivers) == (0, EVERYBODY)
    assert "\\u0160op" in done.out


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
async def test_odd_arguments_are_told_and_change_nothing(
    world: World, arguments: tuple[str, ...]
) -> None:
    finished = await world.call(*arguments)

    assert finished.code == ExitCode.USAGE
    assert "Error: " in finished.err
    assert "Traceback" not in finished.err
    assert world.marketplace.requests == 0


@pytest.mark.slow
async def test_a_reader_that_goes_away_is_no_error(world: World) -> None:
    await world.call("run", "--now")
    read, write = os.pipe()
    os.close(read)
    try:
        finished = await world.call_into(write, "orders", "--format", "json")
    finally:
        os.close(write)

    assert finished == ExitCode.DONE
