"""Kill `notifier run` at named moments, start it again twice, and look.

    python -m tests.faults.moments

The program knows nothing of these moments. One run is traced by strace, each moment is found in the
trace between two system calls, and another run from the same store is killed there: nothing
outside a process can tell two deaths apart between which it made no call. strace delivers SIGKILL
when a call is entered, and the call is not made any more. So the process dies just after
everything before it.

Each kill begins with a copy of the same folder, so that calls have the same numbers in every run.
What the killed run did last is read from its own trace and must be the call that was meant.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path

from notifier.domain.settings import OnUnknown
from tests.acceptance.world import EVERYBODY
from tests.faults.kill import FIRST_DAY, KillTrial, ended, missing, new_trial, start
from tests.faults.trace import (
    FLUSHES_JOURNAL,
    MAIN,
    WRITES_JOURNAL,
    Call,
    Match,
    commits,
    does,
    is_first,
    read_trace,
)
from tests.faults.world import Verdict
from tests.neighbours.smtp import Accepted, Step, says


class Moment(StrEnum):
    """A moment of a run, in their order; each is just after what it names."""

    CREATED = "created"
    """The store's file is there and empty. This and the next six: only in a store's first run."""
    JOURNALED = "journaled"
    """SQLite keeps a write-ahead journal."""
    MIGRATING = "migrating"
    """Some tables are written and nothing is committed."""
    MIGRATED = "migrated"
    SIGNED = "signed"
    """The store has an owner, and no file beside it says that there was a store."""
    INSTALLED = "installed"
    """The file beside the store says that there was one."""
    READY = "ready"

    BEGUN = "begun"
    """The day is taken, nothing is read."""
    READ = "read"
    COMPOSED = "composed"
    """The messages are frozen in memory, and nothing of them is recorded."""
    FROZEN = "frozen"
    CLAIMED = "claimed"
    """A message is in hand and the attempt recorded; its transaction is not begun."""
    CONNECTED = "connected"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    MARKED = "marked"
    """The mark is on the disk, and the dot is not sent."""
    ANSWERED = "answered"
    """The server's answer to the dot is read, and not recorded."""
    SETTLED = "settled"
    QUITTING = "quitting"
    """Just before."""
    CLOSED = "closed"
    ALARMS_UPDATED = "alarms updated"
    """Alarms are begun and ended, and the mail about them is delivered."""
    ERASED = "erased"
    BACKED_UP = "backed up"

    COMMITTING = "committing"
    """Just before the first page of any transaction is written."""
    FLUSHING = "flushing"
    """The pages of any transaction are written, and not on the disk."""
    COMMITTED = "committed"


FIRST_RUN = tuple(Moment)[: tuple(Moment).index(Moment.BEGUN)]
TRANSACTIONS = (Moment.COMMITTING, Moment.FLUSHING, Moment.COMMITTED)
EVERY_RUN = tuple(one for one in Moment if one not in FIRST_RUN)

WINDOW = frozenset({Moment.ANSWERED})
"""When the server has the message, and the store does not know it."""

TRIES = 5
"""The main thread wakes its own loop where the store was very quick. strace counts that too."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment, and the call at whose entry the process is then killed."""

    moment: Moment
    call: Call


@dataclass(frozen=True, slots=True)
class _Row:
    """Where to find a moment: at the first call that matches `at`, after calls that match `after`.

    The calls `after` stand in this order between the moment before and this one.
    """

    moment: Moment
    at: Match
    after: tuple[Match, ...] = ()


_CREATION = (
    _Row(
        Moment.CREATED,
        does("pwrite64", "notifier.db-journal>"),
        (does("openat", "notifier.db>", "O_CREAT"),),
    ),
    _Row(Moment.JOURNALED, WRITES_JOURNAL, (does("unlink", "notifier.db-journal"),)),
    _Row(Moment.MIGRATING, WRITES_JOURNAL, (FLUSHES_JOURNAL, *(WRITES_JOURNAL,) * 25)),
    _Row(Moment.MIGRATED, WRITES_JOURNAL, (FLUSHES_JOURNAL,)),
    _Row(Moment.SIGNED, does("fsync", "notifier.db.installed.part-"), (FLUSHES_JOURNAL,)),
    _Row(
        Moment.INSTALLED,
        does("fsync", "notifier.db.ballast.part-"),
        (does("rename", 'notifier.db.installed"'),),
    ),
    _Row(Moment.READY, WRITES_JOURNAL, (does("rename", 'notifier.db.ballast"'),)),
)


@dataclass(frozen=True, slots=True)
class _MailServer:
    """Match what the program says to the mail server, and the answers it reads."""

    port: int

    @property
    def connects(self) -> Match:
        return does("connect", f"htons({self.port})")

    @property
    def closes(self) -> Match:
        return does("close", self._connection)

    def sends(self, command: str) -> Match:
        return does("sendto", self._connection, f'"{command}')

    def answers(self, code: int) -> Match:
        return does("recvfrom", self._connection, f'"{code} ')

    @property
    def _connection(self) -> str:
        return f":{self.port}]>"


def _run(server: _MailServer) -> Iterator[_Row]:
    """The rows of a run that ends an alarm, and so mails the admin after the digests."""
    sends, closes = server.sends, server.closes
    monitored = does("sendto", "/start HTTP/1.1")
    lists = does("sendto", "GET /v1/orders?", "page_size=1000")
    fetches = does("sendto", "GET /v1/orders/")
    renders = does("openat", "/templates/mail/digest/")
    yield _Row(Moment.BEGUN, lists, (monitored, FLUSHES_JOURNAL))
    yield _Row(Moment.READ, renders, (fetches, does("recvfrom", "HTTP/1.1 200"), FLUSHES_JOURNAL))
    yield _Row(Moment.COMPOSED, WRITES_JOURNAL, (renders,))
    freezes = does("pwrite64", "notifier.db-wal>", "Message-ID: <")
    installing = does("fsync", "notifier.db.installed.part-")
    yield _Row(Moment.FROZEN, installing, (freezes, FLUSHES_JOURNAL))
    for number in range(len(EVERYBODY)):
        yield from _message(server, is_first=number == 0)
    yield _Row(Moment.QUITTING, sends("QUIT"), (FLUSHES_JOURNAL,))
    yield _Row(Moment.CLOSED, WRITES_JOURNAL, (closes,))
    to_admin = (FLUSHES_JOURNAL, sends("RCPT TO:<admin@"), sends("."), FLUSHES_JOURNAL, closes)
    yield _Row(Moment.ALARMS_UPDATED, WRITES_JOURNAL, to_admin)
    emptied, installed = does("ftruncate", "-wal>, 0)"), does("rename", 'notifier.db.installed"')
    copies = does("pwrite64", "notifier.db.backup-")
    yield _Row(Moment.ERASED, copies, (FLUSHES_JOURNAL, emptied, installed))
    copied = does("rename", ".part-", "notifier.db.backup-")
    yield _Row(Moment.BACKED_UP, does("sendto", "HTTP/1.1"), (copied, FLUSHES_JOURNAL, installed))


def _message(server: _MailServer, *, is_first: bool) -> Iterator[_Row]:
    sends, answers = server.sends, server.answers
    if is_first:
        yield _Row(Moment.CLAIMED, server.connects, (FLUSHES_JOURNAL,))
        yield _Row(Moment.CONNECTED, sends("MAIL FROM"), (answers(220), answers(235)))
    else:
        yield _Row(Moment.SETTLED, WRITES_JOURNAL, (FLUSHES_JOURNAL,))
        yield _Row(Moment.CLAIMED, sends("RSET"), (FLUSHES_JOURNAL,))
    yield _Row(Moment.MAIL, sends("RCPT TO"), (sends("MAIL FROM"), answers(250))[is_first:])
    yield _Row(Moment.RCPT, sends("DATA"), (answers(250),))
    yield _Row(Moment.DATA, sends("From: "), (answers(354),))
    yield _Row(Moment.BODY, WRITES_JOURNAL)
    yield _Row(Moment.MARKED, sends("."), (FLUSHES_JOURNAL,))
    yield _Row(Moment.ANSWERED, WRITES_JOURNAL, (answers(250),))


def moments_of_a_run(calls: Sequence[Call], smtp_port: int) -> list[Hit]:
    """Find every moment of a run, each time it comes. Raises LookupError where one is missing."""
    hits = _find(calls, _run(_MailServer(smtp_port)))
    for each in commits(calls):
        hits += map(Hit, TRANSACTIONS, each)
    for one in hits:
        _check(one.call, calls)
    return hits


def moments_of_creation(calls: Sequence[Call]) -> list[Hit]:
    """Find what comes only in a store's first run. Raises LookupError where one is missing."""
    hits = _find(calls, _CREATION)
    for one in hits:
        _check(one.call, calls)
    return hits


def changes_of_creation(calls: Sequence[Call]) -> list[Call]:
    """Every call that changes something while a store is made."""
    *_, ready = moments_of_creation(calls)
    upto = calls[: calls.index(ready.call) + 1]
    found = [one for one in upto if one.changes_something and one.thread != MAIN]
    for one in found:
        _check(one, calls)
    return found


def _find(calls: Sequence[Call], rows: Iterable[_Row]) -> list[Hit]:
    left = iter(calls)
    hits = []
    for row in rows:
        for match in (*row.after, row.at):
            call = next((one for one in left if match(one)), None)
            if call is None:
                raise LookupError(f"the moment {row.moment!s} is not in the trace")
        assert call is not None
        hits.append(Hit(row.moment, call))
    return hits


def _check(call: Call, calls: Sequence[Call]) -> None:
    """Raise LookupError unless strace can tell this call from those of other threads."""
    if call.thread != MAIN and not is_first(call, calls):
        raise LookupError(f"another thread comes first to {call.name} {call.number}")


@dataclass(slots=True)
class MomentTrial:
    """A world that can be put back to the same moment before the day of the trial."""

    trial: KillTrial
    saved: Path
    accepted: Sequence[Accepted]

    async def record(self) -> list[Call]:
        """Trace a whole run."""
        names = (
            "openat,close,connect,sendto,recvfrom,pwrite64,fdatasync,fsync,ftruncate,rename,unlink"
        )
        self._restore()
        code, calls = await self._strace("-f", "-e", f"trace={names}")
        assert code == 0
        return calls

    async def kill_at(self, meant: Call) -> Verdict:
        """Live through the day; its first run is killed when it enters this call."""
        for _ in range(TRIES):
            self._restore()
            code, calls = await self._strace(
                # Without -f strace sees the main thread alone: others also wake it by sendto.
                *(("-f",) if meant.thread != MAIN else ()),
                *(("-P", meant.opened) if meant.opened else ()),
                *("-e", f"trace={meant.name}"),
                *("-e", f"inject={meant.name}:signal=SIGKILL:when={meant.number}"),
            )
            assert code == -signal.SIGKILL, f"{meant} never came: exit code {code}"
            if calls[-1].purpose == meant.purpose:
                break
        else:
            raise AssertionError(f"killed at {calls[-1].purpose}, not at {meant.purpose}")
        await self.trial.go_on()
        return await self.trial.verdict()

    def _restore(self) -> None:
        trial = self.trial
        shutil.rmtree(trial.world.folder)
        shutil.copytree(self.saved, trial.world.folder)
        trial.world.smtp.accepted[:] = self.accepted
        trial.today, trial.days = FIRST_DAY, []
        trial.wake()

    async def _strace(self, *options: str) -> tuple[int, list[Call]]:
        """Run under strace; the exit code, negative for a signal, and what was traced."""
        written = self.saved.with_name("strace.out")
        # Strings at full length: a page of SQLite's has 4,096 bytes.
        whole = ("strace", "-yy", "-s", "5000", "-o", str(written))
        code = await ended(await start(self.trial.world, *whole, *options))
        lines = written.read_text(encoding="utf-8", errors="replace").splitlines()
        written.unlink()  # it tells of buyers and passwords
        return code, read_trace(lines)


@asynccontextmanager
async def moment_trial(
    folder: Path, on_unknown: OnUnknown = OnUnknown.RESEND, *, first_run: bool = False
) -> AsyncIterator[MomentTrial]:
    """Open a world on the day after a mail was refused, so that the trial's day ends an alarm.

    With `first_run` there is no store yet.
    """
    home, saved = folder / "world", folder / "saved"
    home.mkdir()
    async with new_trial(home, on_unknown, scenario="quiet_day") as trial:
        if not first_run:
            trial.world.smtp.script(Step.RCPT, says("550 5.1.1 unknown"), only=EVERYBODY[-1])
            await trial.live_through_the_day_before()
        shutil.copytree(home, saved)
        yield MomentTrial(trial, saved, list(trial.world.smtp.accepted))


async def kill_everywhere(folder: Path, on_unknown: OnUnknown, *, first_run: bool) -> bool:
    """Kill at every moment, each time it comes; prints, and gives whether all was well.

    Of a store's first run: at every call that changes something until the store is made.
    """
    label = f"on_unknown={on_unknown}, first run" if first_run else f"on_unknown={on_unknown}"
    async with moment_trial(folder, on_unknown, first_run=first_run) as trial:
        calls = await trial.record()
        if first_run:
            hits, places = moments_of_creation(calls), changes_of_creation(calls)
        else:
            hits = moments_of_a_run(calls, trial.trial.world.smtp.port)
            places = list(dict.fromkeys(one.call for one in hits))
        for moment, times in Counter(one.moment for one in hits).items():
            print(f"{label}: {moment:14} {times:3} times", flush=True)
        verdicts = [await trial.kill_at(one) for one in places]
    lost, doubled, wrong = (
        [line for one in verdicts for line in getattr(one, kind)]
        for kind in ("lost", "doubled", "wrong")
    )
    print(
        f"{label}: {len(places)} kills, lost {len(lost)}, doubled inside the window "
        f"{sum(one.doubled_in_window for one in verdicts)}, outside {len(doubled)}, "
        f"wrong {len(wrong)}",
        *(lost + doubled + wrong),
        sep="\n  ",
        flush=True,
    )
    return not (lost or doubled or wrong)


def main() -> int:
    """The command; 1 when a promise was broken."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if why := missing():
        print(f"NOT CHECKED: {why}")
        return 1
    good = []
    for on_unknown, first_run in (*product(OnUnknown, (False,)), (OnUnknown.RESEND, True)):
        with tempfile.TemporaryDirectory() as name:
            trial = kill_everywhere(Path(name), on_unknown, first_run=first_run)
            good.append(asyncio.run(trial))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
