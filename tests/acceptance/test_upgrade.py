"""A store and a configuration of an earlier 0.1.0 still work.

The folder `earlier` holds both: the store of one shop after two days, with one deferred message
to Jana, and the example configuration with every option.
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
    """Restore the earlier store with the identity of its machine."""
    database = sqlite3.connect(world.folder / "notifier.db")
    database.executescript((EARLIER / "notifier.sql").read_text(encoding="utf-8"))
    database.close()
    (world.folder / "notifier.db").chmod(0o600)
    shutil.copy(EARLIER / "notifier.db.installed", world.folder)
    world.configure(("[smtp]", '[store]\nidentity = "the shop"\n\n[smtp]'))


async def test_a_message_deferred_before_the_upgrade_is_sent_unchanged(world: World) -> None:
    restore(world)
    (waiting,) = [m for m in await world.outbox() if m.state is MessageState.DEFERRED]
    content = (await world.message(waiting.id)).content

    assert await world.run("2026-11-22", at="06:20") is ExitCode.DONE

    (accepted,) = world.smtp.accepted
    assert (accepted.recipient, accepted.content) == ("jana@example.com", content)
    assert {message.state for message in await world.outbox()} == {MessageState.SENT}


async def test_the_first_digest_after_the_upgrade_compares_with_the_earlier_snapshot(
    world: World,
) -> None:
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
    assert newest.new == 0, "orders that waited before the upgrade must not be new after it"


def test_the_earlier_configuration_has_the_same_meaning(tmp_path: Path) -> None:
    text = (EARLIER / "config.toml").read_text(encoding="utf-8")
    environ = {"NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID": SECRET}

    settings = config.parse(text, tmp_path / "config.toml", environ=environ)

    account = settings.accounts["ljubljana"]
    assert account.marketplace.client_id.value == SECRET
    assert [str(recipient.mailbox) for recipient in account.recipients]
    assert settings == config.parse(
        (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8"),
        tmp_path / "config.toml",
        environ=environ,
    ), "the default of an option has changed"
