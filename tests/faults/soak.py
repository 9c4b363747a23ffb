"""Days and days with faults of all kinds, by a clock that is moved; the seed tells the story.

python -m tests.faults.soak --days 365 --seed 7
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from notifier.domain.settings import OnUnknown
from tests.acceptance.world import EVERYBODY
from tests.faults.kill import KillTrial, kill_trial
from tests.faults.world import Verdict
from tests.neighbours.smtp import Action, Conversation, Step, accepts_and, drops, resets, says

TICKS = ("06:05", "06:40", "07:15", "08:30", "11:00", "16:00")
"""Of a day: far enough from each other that what a dead process had is free again."""
CALM_DAYS = 2
"""At the end, in which what waits may come to its end."""
_MOST_TURNS = 400


@dataclass(slots=True)
class Soak:
    """One long story."""

    trial: KillTrial
    dice: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    async def live(self, days: int) -> None:
        """Live through so many days, and some calm ones."""
        for _ in range(days):
            await self._day(self._trouble)
        self._calm()
        for _ in range(CALM_DAYS):
            await self._day(self._tick)

    async def _day(self, tick: Callable[[], Awaitable[None]]) -> None:
        for at in TICKS:
            self.trial.wake(at)
            await tick()
        self.trial.next_day()

    async def _trouble(self) -> None:
        """One tick with whatever the dice say, most often nothing."""
        self._calm()
        faults = (
            *(self._nothing,) * 5,
            *(self._marketplace_down, self._refuse_one, self._break_at_the_dot),
            *(self._break_before_the_dot, self._cancel_in_mail, self._cancel_anywhere),
        )
        fault = self.dice.choice(faults)
        self.counts[fault.__name__.strip("_").replace("_", " ")] += 1
        await fault()

    def _calm(self) -> None:
        self.trial.world.smtp.behave()
        self.trial.world.marketplace.stop_failing()

    async def _tick(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            await self.trial.world.run()

    async def _nothing(self) -> None:
        await self._tick()

    async def _marketplace_down(self) -> None:
        self.trial.world.marketplace.fail_always(self.dice.choice((401, 403, 404)))
        await self._tick()

    async def _refuse_one(self) -> None:
        """One of the recipients is put off, or refused for good."""
        answer = self.dice.choice(("451 4.7.1 come back", "451 4.3.0 busy", "550 5.1.1 nobody"))
        self._script(Step.RCPT, says(answer), only=self.dice.choice(EVERYBODY))
        await self._tick()

    async def _break_at_the_dot(self) -> None:
        """The answer to the dot is lost, whether the server took the mail or not."""
        cut = self.dice.choice((drops, resets))
        self._script(Step.DOT, self.dice.choice((cut, accepts_and(cut), says("451 4.3.0 no"))))
        await self._tick()

    async def _break_before_the_dot(self) -> None:
        step = self.dice.choice((Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA))
        self._script(step, self.dice.choice((drops, resets, says("421 4.3.2 closing"))))
        await self._tick()

    async def _cancel_in_mail(self) -> None:
        """It is over in the middle of a conversation, as if the process had died there."""
        tick = asyncio.ensure_future(self._tick())
        kept = self.dice.random() < 0.5

        async def end(conversation: Conversation) -> int:
            if kept and conversation.body:
                conversation.keep()
            tick.cancel()
            return await drops(conversation)

        steps = (Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT, Step.DOT, Step.DOT)
        self._script(self.dice.choice(steps), end)
        await asyncio.wait([tick])
        self._look_at(tick)

    async def _cancel_anywhere(self) -> None:
        """It is over after some turns of the loop."""
        tick = asyncio.ensure_future(self._tick())
        for _ in range(self.dice.randrange(_MOST_TURNS)):
            await asyncio.sleep(0)
        tick.cancel()
        await asyncio.wait([tick])
        self._look_at(tick)

    def _look_at(self, tick: asyncio.Future[None]) -> None:
        if tick.cancelled():
            self.counts["ticks that did not come to their end"] += 1
        elif error := tick.exception():
            raise error

    def _script(self, step: Step, action: Action, *, only: str = "") -> None:
        self.trial.world.smtp.script(step, action, only=only)


async def soak(folder: Path, days: int, seed: int, on_unknown: OnUnknown) -> tuple[Soak, Verdict]:
    """Live, and judge."""
    async with kill_trial(folder, on_unknown) as trial:
        story = Soak(trial, random.Random(seed))  # noqa: S311 - a story, not a secret
        await story.live(days)
        return story, await trial.verdict()


def main() -> int:
    """The command; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--on-unknown", type=OnUnknown, default=OnUnknown.RESEND)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    logging.disable()
    with tempfile.TemporaryDirectory() as name:
        run = soak(Path(name), chosen.days, chosen.seed, chosen.on_unknown)
        story, found = asyncio.run(run)
    for what, count in sorted(story.counts.items()):
        print(f"{count:6} {what}")
    print(
        f"{chosen.days} days, {len(story.trial.world.receivers)} mails accepted; lost "
        f"{len(found.lost)}, doubled inside the window {found.doubled_in_window}, outside "
        f"{len(found.doubled)}, wrong {len(found.wrong)}"
    )
    for line in (*found.lost, *found.doubled, *found.wrong):
        print(f"  {line}")
    return 1 if found.lost or found.doubled or found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
