"""Run one account for one day: from the source to frozen messages in the outbox. Read this first.

The timer, the daemon and a person all call `run_account`. `dry_run` takes the same steps without
the ledger. `deliver.py` sends the messages of the outbox, and `tick.py` calls both.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from notifier.domain.clock import compare_clocks
from notifier.domain.digest import Digest, compose
from notifier.domain.ledger import FrozenMessage, Run
from notifier.domain.reading import SUSPICIOUS_DROP, Complete, Failed, Source
from notifier.domain.settings import Account
from notifier.errors import ClockRefused, ExitCode, NotifierError, Stopped
from notifier.services.context import Context
from notifier.services.due import DueRun, RunRequest, find_due_run, start_watching
from notifier.services.make_messages import MessageBatch, make_messages
from notifier.store import Store

# A lease that ends too early lets a second process read the same list at the seller's cost; one
# that ends too late delays the day after a crash.
RECORDING_TIME = timedelta(minutes=5)
"""Time for a run besides reading; its lease on the day is the sum of both."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one call did for one account."""

    account: Account
    next_at: datetime | None = None
    """When the next day becomes due; None if an error ended the call."""
    run: Run | None = None
    """The run of this call; if nothing was due, the latest one of the day, if any."""
    digest: Digest | None = None
    batch: MessageBatch = field(default_factory=MessageBatch)
    error: Exception | None = None

    @property
    def messages(self) -> tuple[FrozenMessage, ...]:
        """The messages that were frozen."""
        return self.batch.messages

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of this account alone; an unexpected error is a bug."""
        if isinstance(self.error, NotifierError):
            return self.error.exit_code
        if self.error:
            return ExitCode.BUG
        return ExitCode.FAILED if self.digest and self.digest.gap else ExitCode.DONE


async def run_account(account: Account, context: Context, request: RunRequest) -> RunReport:
    """Do what is due for one account, up to messages in the outbox.

    Raises Stopped after a request to stop; the day is then open for the next run.
    """
    context.stop.check()
    due = await _look_at_the_ledger(account, context, request)
    run = await _begin(account, due, context, request)
    if run is None:
        return await _nothing_to_do(account, due, context, request)
    try:
        return await _read_and_freeze(account, due, run, context)
    # Not a failure: the next process must begin at once, without the pause after a failed reading.
    except Stopped as error:
        await context.store.runs.interrupt(run, str(error))
        raise
    # Any other error is recorded, or the day would be closed until its lease ends.
    except Exception as error:
        await context.store.runs.fail(run, str(error) or type(error).__name__, at=context.clock())
        raise


async def dry_run(account: Account, context: Context, request: RunRequest) -> RunReport:
    """Read, compose, render and freeze without recording: what `run_account` would send now."""
    due = await find_due_run(account, context.store, request, context.clock())
    if due.day is None:
        return await _nothing_to_do(account, due, context, request)
    async with context.stop.limit():
        digest = await read_digest(account, context.source(account), context.store, due.day)
    if isinstance(digest, Failed):
        return RunReport(account, due.next_at, error=digest.error)
    batch = make_messages(account, digest, context, due.edition)
    return RunReport(account, due.next_at, digest=digest, batch=batch)


async def _look_at_the_ledger(account: Account, context: Context, request: RunRequest) -> DueRun:
    """Find what is due, and record the days that are too late for a digest."""
    # Recorded first: from this moment on, a day without a digest counts as missed.
    await start_watching(account, context.store, context.clock())
    due = await find_due_run(account, context.store, request, context.clock())
    await context.store.runs.skip(
        account.id, due.missed, "nothing ran on that day", at=context.clock()
    )
    return due


async def _begin(
    account: Account, due: DueRun, context: Context, request: RunRequest
) -> Run | None:
    """Take the day in the ledger; return None if nothing is due, or another process has it."""
    if due.day is None or due.rests_until:
        return None
    run = await context.store.runs.begin(
        account.id,
        due.day,
        at=context.clock(),
        lease=account.access.run_timeout + RECORDING_TIME,
        holder=context.holder,
        edition=due.edition,
        reason=request.reason,
    )
    if run and request.reason:
        await context.store.audit.record(
            at=context.clock(),
            who=request.who or "unknown",
            action="force" if request.force else "run",
            subject=f"{run.account_id}, {run.day}, edition {run.edition}",
        )
    return run


async def _read_and_freeze(account: Account, due: DueRun, run: Run, context: Context) -> RunReport:
    """Fetch, compose, render, freeze and record."""
    runs, clock, source = context.store.runs, context.clock, context.source(account)
    try:
        async with context.stop.limit():
            # One call now, instead of a whole reading in vain on every tick until the clock is set.
            if due.clock_in_doubt:
                compare_clocks(clock(), await source.ask_time())
            digest = await read_digest(account, source, context.store, run.day)
        # Before anything is frozen: a digest of a wrong day could not be taken back.
        compare_clocks(clock(), source.server_time)
    except ClockRefused as error:
        run = await runs.abandon(run, str(error), at=clock())
        _log(logging.ERROR, "abandoned", f"{account.name}: {error}", run)
        return RunReport(account, due.next_at, run, error=error)
    if isinstance(digest, Failed):
        run = await runs.fail(run, digest.why, at=clock())
        _log(logging.WARNING, "failed", f"{account.name}: {digest.why}", run)
        return RunReport(account, due.next_at, run, error=digest.error)
    batch = make_messages(account, digest, context, run.edition)
    now = clock()
    # Run, snapshot and messages in one transaction: before it a crash costs a reading, after it
    # nothing, because the bytes are stored.
    run = await runs.freeze(
        run, digest, batch.messages, at=now, give_up_at=_next_digest(account, run.day, now)
    )
    _log(logging.INFO, str(run.state), _frozen_sentence(account, digest, batch.messages), run)
    return RunReport(account, due.next_at, run, digest, batch)


async def read_digest(account: Account, source: Source, store: Store, day: date) -> Digest | Failed:
    """Read the source and compare the result with the last snapshot; records nothing."""
    previous = await store.runs.snapshot_before(account.id, day)
    known = previous.ids if previous else ()
    reading = await source.read(known)
    if len(known) >= SUSPICIOUS_DROP and isinstance(reading, Complete) and not reading.orders:
        logger.warning(
            "%s: nothing waits, but %d orders waited before; reading again",
            account.name,
            len(known),
            extra={"event": "sudden_drop", "account": account.id, "day": day.isoformat()},
        )
        reading = await source.read(known)
    if isinstance(reading, Failed):
        return reading
    last = previous.day if previous else None
    return compose(
        account,
        reading,
        previous,
        day,
        skipped_days=await store.runs.skipped_since(account.id, last, day),
        trend=await store.runs.trend(account.id, day),
    )


async def _nothing_to_do(
    account: Account, due: DueRun, context: Context, request: RunRequest
) -> RunReport:
    day = request.day or account.schedule.local_day(context.clock())
    return RunReport(account, due.next_at, run=await context.store.runs.latest(account.id, day))


def _next_digest(account: Account, day: date, now: datetime) -> datetime:
    """Return when the next digest is due, until which delivery of this one is tried."""
    # The next digest has the whole content, so a late copy of this one would only confuse. A digest
    # of an earlier day that a person requests must not be given up at once.
    later = max(day, account.schedule.local_day(now) - timedelta(days=1)) + timedelta(days=1)
    starts = account.schedule.starts(later)
    return starts if starts > now else account.schedule.starts(later + timedelta(days=1))


def _frozen_sentence(account: Account, digest: Digest, messages: tuple[FrozenMessage, ...]) -> str:
    counts = (
        f"{len(digest.present)} waiting ({len(digest.new)} new), "
        f"{len(digest.collected)} gone since; {len(messages)} messages in the outbox"
    )
    gap = f"; incomplete: {digest.gap.why}" if digest.gap else ""
    return f"{account.name}, {digest.day}: {counts}{gap}"


def _log(level: int, event: str, sentence: str, run: Run) -> None:
    fields = {"event": event, "account": run.account_id, "day": run.day.isoformat()}
    logger.log(level, "%s", sentence, extra=fields | {"edition": run.edition})
