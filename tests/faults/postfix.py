"""The notifier with a whole Postfix between it and the mail server that counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from notifier.domain.ledger import Attempt, MessageState
from notifier.errors import ExitCode
from notifier.store import open_store
from tests.acceptance.world import EVERYBODY, START, World, open_world
from tests.canaries import SMTP_LOGIN
from tests.faults.world import check_world, collect
from tests.neighbours.postfix import Postfix, postfix
from tests.neighbours.smtp import Accepted

TODAY = str(START.date())


@dataclass(frozen=True, slots=True)
class Relayed:
    """A world whose mail goes through `relay`, and one day in it."""

    world: World
    relay: Postfix

    async def run(self, at: str) -> ExitCode:
        """`notifier run` at a time of the day, and all that the relay then passes on."""
        code = await self.world.run(TODAY, at=at)
        await self.relay.drained()
        return code

    async def states(self) -> dict[str, MessageState]:
        """What the notifier believes of each recipient's digest."""
        return {message.recipient: message.state for message in await self.world.outbox()}

    async def attempts(self, recipient: str) -> list[Attempt]:
        """Every attempt at a recipient's digest, oldest first."""
        (number,) = [one.id for one in await self.world.outbox() if one.recipient == recipient]
        async with open_store(self.world.location, read_only=True) as store:
            return list(await store.outbox.attempts(number))

    async def check(self) -> None:
        """Fail unless everybody has the mail once, or the store knows who has not."""
        passed_on = [_as_sent(one) for one in self.world.smtp.accepted]
        evidence = await collect(self.world.location.url, passed_on)
        in_window = check_world(evidence, recipients=EVERYBODY, days=[START.date()])
        assert in_window == 0


@asynccontextmanager
async def relayed(folder: Path, *settings: str, disk_bytes: int = 0) -> AsyncIterator[Relayed]:
    """A world with a Postfix that has these `settings`; all ends with the block.

    Nobody logs in: not the notifier, as the relay is on its machine, nor the relay.
    """
    async with open_world(folder) as world:
        world.smtp.login = None
        destination = f"virtual_transport = smtp:[127.0.0.1]:{world.smtp.port}"
        async with postfix(destination, *settings, disk_bytes=disk_bytes) as relay:
            world.configure(
                (f"port = {world.smtp.port}", f"port = {relay.port}"), (_login(*SMTP_LOGIN), "")
            )
            yield Relayed(world, relay)


def _login(username: str, password: str) -> str:
    return f'username = "{username}"\npassword = "{password}"\n'


def _as_sent(one: Accepted) -> Accepted:
    """Without the header that a relay puts before all others (RFC 5321, 4.4)."""
    first, *lines = one.content.split(b"\r\n")
    assert first.startswith(b"Received: ")
    while lines[0].startswith((b"\t", b" ")):
        lines.pop(0)
    return replace(one, content=b"\r\n".join(lines))
