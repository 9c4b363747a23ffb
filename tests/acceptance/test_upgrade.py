"""A store and a configuration of version 0.1.0 before the folders were laid out go on working.

`earlier/` holds both: two days of one shop, of which one message to Jana is still to be sent
(4xx), and the example configuration with every option.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from notifier import config
from notifier.domain.ledger import MessageState, RunState
from notifier.errors import ExitCode
from tests.acceptance.world import World

EARLIER = Path(__file__).parent / "earlier"
SECRET = "canary-secret-of-more-than-32-letters"


def restore(world: World) -> None:
    """Put the earlier store into place, as it was on the same machine."""
    database = sqlite3.connect(world.folder / "notifier.db")
    database.executescript((EARLIER / "notifier.sql").read_text(encoding="utf-8"))
    database.close()
    (world.folder / "notifier.db").chmod(0o600)
    shutil.copy(EARLIER / "notifier.db.installed", world.folder)
    world.configure(("[smtp]", '[store]\nidentity = "the shop"\n\n[smtp]'))


async def test_the_waiting_message_is_sent_with_the_bytes_it_had(world: World) -> None:
    restore(world)
    (waiting,) = [m for m in await world.outbox() if m.state is MessageState.DEFERRED]
    content = (await world.message(waiting.id)).content

    assert await world.run("2026-11-22", at="06:20") is ExitCode.DONE

    (accepted,) = world.smtp.accepted
    assert (accepted.recipient, accepted.content) == ("jana@example.com", content)
    assert {message.state for message in await world.outbox()} == {MessageState.SENT}


async def test_the_next_digest_compares_with_the_earlier_snapshot(world: World) -> None:
    restore(world)

    assert await world.run("2026-11-23") is ExitCode.DONE

    runs = await world.runs()
    assert [(str(run.day), run.state) for run in runs][-3:] == [
        ("2026-11-21", RunState.COMPLETE),
        ("2026-11-22", RunState.COMPLETE),
        ("2026-11-23", RunState.COMPLETE),
    ]
    earlier, newest = runs[-2:]
    assert newest.waiting == earlier.waiting
    assert newest.new == 0, "what waited before the upgrade is not new after it"


def test_the_configuration_is_read_as_it_was(tmp_path: Path) -> None:
    text = (EARLIER / "config.toml").read_text(encoding="utf-8")
    environ = {"NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID": SECRET}

    settings = config.parse(text, tmp_path / "config.toml", environ=environ)

    account = settings.accounts["ljubljana"]
    assert account.marketplace.client_id.value == SECRET
    assert [str(one.mailbox) for one in account.recipients]
    assert settings == config.parse(
        (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8"),
        tmp_path / "config.toml",
        environ=environ,
    ), "an option's default has changed since"
