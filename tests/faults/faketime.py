"""Processes by a clock of their own, which libfaketime gives them (Debian: faketime).

    python -m tests.faults.faketime --every 4

calls `notifier run` every so many hours over both changes of the clocks, in three zones. What is
known of a machine's clock is in a file that is rewritten while processes run.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.acceptance.world import EVERYBODY, World, open_world
from tests.faults.kill import ROOT
from tests.faults.world import Evidence, check_world, collect

PATIENCE_SECONDS = 30
_A_DAY = timedelta(days=1)
_BEAT_MICROSECONDS = 200_000
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - libfaketime's choice

PLAIN = "libfaketime.so.1"
FOR_THREADS = "libfaketimeMT.so.1"
"""Where the clock is followed: in the plain one, a thread now and then reads the machine's own."""
_ALWAYS = {
    "NO_FAKE_STAT": "1",  # or Python would compile every module anew
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # or threads that wait for each other spin
    "TZ": "UTC",
    "PYTHONPATH": str(ROOT),
}


def library(name: str) -> Path | None:
    """One that can be preloaded; None where it is not installed."""
    return next(Path("/usr/lib").glob(f"*/faketime/{name}"), None)


def missing() -> str | None:
    """Why no process can be told another time here; None when it can."""
    return None if library(FOR_THREADS) else "libfaketime is not installed (Debian: faketime)"


@dataclass(slots=True)
class Clocks:
    """The clock of this machine, and the true one that the marketplace has; both run."""

    file: Path
    _ahead: timedelta = timedelta(0)

    def say(self, moment: datetime) -> None:
        """Let it be this moment, for everybody."""
        self._ahead = moment - datetime.now(UTC)
        self._set(self._ahead)

    def lie(self, moment: datetime) -> None:
        """Let this machine alone believe so."""
        self._set(moment - datetime.now(UTC))

    def true(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC) + self._ahead

    def _set(self, ahead: timedelta) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{ahead.total_seconds():+.3f}\n", encoding="ascii")
        new.replace(self.file)

    def begun(self) -> dict[str, str]:
        """What makes a process live from now on by the true clock."""
        return {**_ALWAYS, "LD_PRELOAD": str(library(PLAIN)), "FAKETIME": f"@{self.true():%F %T}"}

    def followed(self) -> dict[str, str]:
        """What makes a process live by this machine's clock, whatever becomes of that."""
        return {
            **_ALWAYS,
            "LD_PRELOAD": str(library(FOR_THREADS)),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@dataclass(slots=True)
class FalseWorld:
    """A world in which what time it is can be said."""

    world: World
    clocks: Clocks

    async def run(self, moment: datetime) -> int:
        """`notifier run` as a process at that moment; its exit code."""
        self.clocks.say(moment)
        self.world.environ = self.clocks.begun()
        return (await self.world.call("run")).code

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Serving]:
        """`notifier daemon` while the block runs. It looks at itself often, as for a watchdog."""
        story = self.world.folder / "story.log"
        self.world.environ = {
            **self.clocks.followed(),
            "WATCHDOG_USEC": str(2 * _BEAT_MICROSECONDS),
            "INVOCATION_ID": "a test",  # for a story in JSON lines
        }
        with story.open("wb") as stderr:
            async with self.world.process("daemon", stderr=stderr.fileno()) as process:
                try:
                    yield Serving(process, story)
                finally:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
                    _tidy(process.pid)

    async def has_mailed(self, days: int) -> None:
        """Wait until the digests of so many days are with everybody."""
        await until(lambda: len(self.world.receivers) >= days * len(EVERYBODY))

    async def evidence(self) -> Evidence:
        """All there is to know."""
        return await collect(self.world.location.url, self.world.smtp.accepted)


@dataclass(slots=True)
class Serving:
    """A daemon at work, and the story it tells."""

    process: asyncio.subprocess.Process
    story: Path
    _heard: int = 0

    def looks(self) -> None:
        """Make it look at what is due, which it does by itself once a minute."""
        self.process.send_signal(signal.SIGHUP)

    async def tells(self, event: str) -> str:
        """Wait for the next such line of its story; what it says."""
        said = ""

        def heard() -> bool:
            nonlocal said
            lines = self.story.read_bytes().split(b"\n")[self._heard : -1]
            self._heard += len(lines)
            told = [json.loads(line) for line in lines]
            said = next((one["message"] for one in told if one.get("event") == event), "")
            return bool(said)

        await until(heard)
        return said

    async def stops(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


def _tidy(pid: int) -> None:
    """Whoever was killed leaves shared memory behind, at which its number's next owner fails."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (_SHARED_MEMORY / name).unlink(missing_ok=True)


@asynccontextmanager
async def false_world(folder: Path, *, digest: str = "") -> AsyncIterator[FalseWorld]:
    """A world with these lines of `[digest]`; nothing has happened in it yet."""
    async with open_world(folder, "quiet_day") as world:
        world.configure(("[groups", f"[digest]\n{digest}\n[groups"))
        clocks = Clocks(folder / "clock")
        world.marketplace.date_header = clocks.true
        yield FalseWorld(world, clocks)


async def until(is_so: Callable[[], bool]) -> None:
    """Let everybody work until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - other processes make it so
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Change:
    """A day on which the clocks are changed, and a time that it has not, or has twice."""

    zone: str
    day: date
    send_at: time

    def __str__(self) -> str:
        return f"{self.zone} {self.day} {self.send_at:%H:%M}"

    @property
    def days(self) -> tuple[date, date, date]:
        """The day before, the day, and the day after."""
        return self.day - _A_DAY, self.day, self.day + _A_DAY

    @property
    def readings(self) -> tuple[datetime, datetime]:
        """The two instants `send_at` may mean on that day."""
        return self._at(self.day, self.send_at), self._at(self.day, self.send_at.replace(fold=1))

    def moments(self, every: timedelta) -> Iterable[datetime]:
        """Every so often over the three days, from 05:00, and a minute after either reading."""
        first, end = self._at(self.days[0], time(5)), self._at(self.days[2] + _A_DAY, time(0))
        regular = (first + every * n for n in range(math.ceil((end - first) / every)))
        return sorted({*regular, *(at + timedelta(minutes=1) for at in self.readings)})

    def _at(self, day: date, local: time) -> datetime:
        return datetime.combine(day, local, ZoneInfo(self.zone)).astimezone(UTC)


CHANGES = (
    Change("Europe/Ljubljana", date(2027, 3, 28), time(2, 30)),
    Change("Europe/Ljubljana", date(2027, 10, 31), time(2, 30)),
    Change("America/New_York", date(2027, 3, 14), time(2, 30)),
    Change("America/New_York", date(2027, 11, 7), time(1, 30)),
    Change("Australia/Lord_Howe", date(2027, 4, 4), time(1, 45)),
    Change("Australia/Lord_Howe", date(2027, 10, 3), time(2, 15)),
)
"""Lord Howe changes by half an hour."""


async def live_through(change: Change, every: timedelta, folder: Path) -> int:
    """Call the command that often, and fail unless each day has its one digest; how many calls."""
    digest = f'send_at = "{change.send_at:%H:%M}"\ntimezone = "{change.zone}"\n'
    async with false_world(folder, digest=digest) as false:
        codes = [await false.run(moment) for moment in change.moments(every)]
        evidence = await false.evidence()
    assert set(codes) == {0}, codes
    assert check_world(evidence, recipients=EVERYBODY, days=change.days) == 0
    assert mailed(evidence, change.zone) == sorted(
        (d, who) for d in change.days for who in EVERYBODY
    )
    return len(codes)


def mailed(evidence: Evidence, zone: str) -> list[tuple[date, str]]:
    """On which local day which recipient got a mail, by what the mails themselves say."""
    digests = [one for one in evidence.accepted if one.recipient in EVERYBODY]
    heads = (one.content.partition(b"\r\n\r\n")[0].decode() for one in digests)
    dates = (head.partition("\r\nDate: ")[2].partition("\r\n")[0] for head in heads)
    days = (parsedate_to_datetime(said).astimezone(ZoneInfo(zone)).date() for said in dates)
    return sorted(zip(days, (one.recipient for one in digests), strict=True))


def main() -> int:
    """The command; fails when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=4, metavar="HOURS")
    every = timedelta(hours=parser.parse_args().every)
    if why := missing():
        print(f"NOT CHECKED: {why}")
        return 1
    for change in CHANGES:
        with tempfile.TemporaryDirectory() as name:
            calls = asyncio.run(live_through(change, every, Path(name)))
        print(f"{change}: {calls} runs, 3 days, 3 digests for each", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
