"""One account, one day: fetch, compose, render, freeze, record. Read this file first.

`run_account` is what the timer, the daemon and a person call alike. It decides what is due, takes
the day in the run ledger, and leaves frozen messages in the outbox; `deliver.py` does the rest.
`dry_run` is the same without the ledger: a dry run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from notifier.boundaries import Boundary, boundary
from notifier.domain import schedule
from notifier.domain.clock import compare as compare_clocks
from notifier.domain.digest import Digest, compose
from notifier.domain.ledger import AUTOMATIC_EDITION, FrozenMessage, Run, RunState
from notifier.domain.reading import MANY, Complete, Failed, Source
from notifier.domain.recipients import Recipient
from notifier.domain.retry import next_reading
from notifier.domain.settings import Account, Sender, WhenEmpty
from notifier.errors import ClockRefused, NotifierError, Stopped
from notifier.mail.attachments.choice import attachments
from notifier.mail.freeze import Attachment, freeze
from notifier.mail.render import RenderedMail, Renderer
from notifier.shutdown import Stop
from notifier.store import Store

RECORDING_TIME = timedelta(minutes=5)
"""What a run may take beside reading; its lease on the day is both together."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person asked for beyond the schedule; nothing of it by default."""

    day: date | None = None
    now: bool = False
    force: bool = False
    who: str | None = None
    """Who asked, for the audit trail."""

    @property
    def asks(self) -> bool:
        """Whether anything is asked for at all."""
        return self.now or self.force or self.day is not None

    @property
    def reason(self) -> str | None:
        """What the ledger says of it."""
        if self.force:
            return "forced by a person"
        return "asked for by a person" if self.now or self.day else None


@dataclass(frozen=True, slots=True)
class Task:
    """A day and edition to be run, and days that can only be recorded as skipped."""

    day: date | None
    """None when there is nothing to run."""
    edition: int
    missed: tuple[date, ...]
    next_at: datetime
    rests_until: datetime | None = None
    """When the day is read again that could not be read just now; None when it may be read."""
    clock_in_doubt: bool = False
    """Whether the day was abandoned before because the clock could not be believed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one account in this run."""

    account: Account
    next_at: datetime
    """When the next day becomes due."""
    run: Run | None = None
    """The run this call made; where nothing was due, the latest one of the day, if any."""
    digest: Digest | None = None
    messages: tuple[FrozenMessage, ...] = ()
    templates_broken: str = ""
    """Why the operator's own templates did not make these messages; empty where they did."""
    error: NotifierError | None = None

    @property
    def composed(self) -> bool:
        """Whether this call composed a digest."""
        return self.digest is not None


@dataclass(frozen=True, slots=True)
class Workshop:
    """The parts that every run of a process shares."""

    store: Store
    renderer: Renderer
    sender: Sender
    clock: Callable[[], datetime]
    holder: str
    """Who holds a lease: one process on one machine."""
    stop: Stop = field(default_factory=Stop)


async def run_account(
    account: Account, source: Source, shop: Workshop, request: RunRequest
) -> Report:
    """Do what is due for one account, up to messages in the outbox.

    Raises Stopped when somebody asked to stop; the day is then open for the next run.
    """
    shop.stop.check()
    runs, clock = shop.store.runs, shop.clock
    await shop.store.meta.begin(_watched(account), clock().isoformat())
    task = await find_task(account, shop.store, request, clock())
    await runs.skip(account.id, task.missed, "nothing ran on that day", at=clock())
    if task.day is None or task.rests_until:
        return await _idle(account, shop, task, request)
    run = await runs.begin(
        account.id,
        task.day,
        at=clock(),
        lease=account.reads.run_timeout + RECORDING_TIME,
        holder=shop.holder,
        edition=task.edition,
        reason=request.reason,
    )
    if run is None:
        return await _idle(account, shop, task, request)
    boundary(Boundary.BEGUN)
    await _record_wish(request, run, shop)
    try:
        return await _fetch_and_freeze(account, source, shop, task, run)
    except Stopped as error:
        await runs.interrupt(run, str(error))
        raise
    except Exception as error:
        await runs.fail(run, str(error) or type(error).__name__, at=clock())
        raise


async def dry_run(account: Account, source: Source, shop: Workshop, request: RunRequest) -> Report:
    """Fetch, compose, render and freeze without recording: what `run` would send now."""
    now = shop.clock()
    task = await find_task(account, shop.store, request, now)
    if task.day is None:
        return await _idle(account, shop, task, request)
    async with shop.stop.limit():
        digest = await read_digest(account, source, shop.store, task.day)
    if isinstance(digest, Failed):
        return Report(account, task.next_at, error=digest.error)
    made = _freeze_all(account, digest, shop, task.edition)
    return Report(
        account,
        task.next_at,
        digest=digest,
        messages=made.messages,
        templates_broken=made.templates_broken,
    )


async def read_digest(account: Account, source: Source, store: Store, day: date) -> Digest | Failed:
    """Read the source and compare it with the last snapshot; records nothing."""
    previous = await store.runs.snapshot_before(account.id, day)
    known = previous.ids if previous else ()
    reading = await source.read(known)
    if len(known) >= MANY and isinstance(reading, Complete) and not reading.orders:
        logger.warning(
            "%s: nothing waits, where %d orders did; reading again",
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


async def find_task(account: Account, store: Store, request: RunRequest, now: datetime) -> Task:
    """Ask the ledger and the clock what there is to do; touches nothing."""
    today = account.schedule.local_day(now)
    settled = await store.runs.settled_days(account.id, today - schedule.LOOK_BACK)
    watched = await store.meta.get(_watched(account))
    since = datetime.fromisoformat(watched) if watched else None
    due = schedule.due(account.schedule, now, settled, since=since)
    day, edition = due.day, AUTOMATIC_EDITION
    if request.asks:
        day = request.day or today
        edition = _requested_edition(await store.runs.latest(account.id, day), request)
    before = await store.runs.latest(account.id, day) if day else None
    in_doubt = before is not None and before.state is RunState.ABANDONED
    rests = None if request.asks or not before else _rests_until(account, before, now)
    missed = tuple(skipped for skipped in due.missed if skipped != day)
    return Task(day if edition else None, edition, missed, due.next_at, rests, in_doubt)


def _rests_until(account: Account, before: Run, now: datetime) -> datetime | None:
    if before.state is not RunState.FAILED or before.finished_at is None:
        return None
    again_at = next_reading(account.schedule.starts(before.day), before.finished_at)
    return again_at if before.finished_at <= now < again_at else None


def _watched(account: Account) -> str:
    """The mark that says since when anybody looks after this account."""
    return f"watched.{account.id}"


def _requested_edition(latest: Run | None, request: RunRequest) -> int:
    """The edition a person's wish leads to; 0 when that day is done and nothing is forced."""
    if latest is None:
        return AUTOMATIC_EDITION
    if not latest.state.settled:
        return latest.edition
    done = latest.state in (RunState.COMPLETE, RunState.INCOMPLETE)
    return 0 if done and not request.force else latest.edition + 1


async def _record_wish(request: RunRequest, run: Run, shop: Workshop) -> None:
    if request.reason:
        await shop.store.audit.record(
            at=shop.clock(),
            who=request.who or "unknown",
            action="force" if request.force else "run",
            subject=f"{run.account_id}, {run.day}, edition {run.edition}",
        )


async def _idle(account: Account, shop: Workshop, task: Task, request: RunRequest) -> Report:
    day = request.day or account.schedule.local_day(shop.clock())
    return Report(account, task.next_at, run=await shop.store.runs.latest(account.id, day))


async def _fetch_and_freeze(
    account: Account, source: Source, shop: Workshop, task: Task, run: Run
) -> Report:
    """The way of the data, from the source to the outbox."""
    runs, clock = shop.store.runs, shop.clock
    try:
        async with shop.stop.limit():
            if task.clock_in_doubt:  # one call now, instead of all of them for nothing
                compare_clocks(clock(), await source.ask_time())
            digest = await read_digest(account, source, shop.store, run.day)
        boundary(Boundary.READ)
        compare_clocks(clock(), source.server_time)
    except ClockRefused as error:
        run = await runs.abandon(run, str(error), at=clock())
        _tell(logging.ERROR, "abandoned", f"{account.name}: {error}", run)
        return Report(account, task.next_at, run, error=error)
    if isinstance(digest, Failed):
        run = await runs.fail(run, digest.why, at=clock())
        _tell(logging.WARNING, "failed", f"{account.name}: {digest.why}", run)
        return Report(account, task.next_at, run, error=digest.error)
    made = _freeze_all(account, digest, shop, run.edition)
    boundary(Boundary.COMPOSED)
    now = clock()
    run = await runs.freeze(
        run, digest, made.messages, at=now, give_up_at=_next_digest(account, run.day, now)
    )
    boundary(Boundary.FROZEN)
    _tell(logging.INFO, str(run.state), _frozen_sentence(account, digest, made.messages), run)
    return Report(account, task.next_at, run, digest, made.messages, made.templates_broken)


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of one digest, and why own templates did not make them, if they did not."""

    messages: tuple[FrozenMessage, ...] = ()
    templates_broken: str = ""


def _freeze_all(account: Account, digest: Digest, shop: Workshop, edition: int) -> Batch:
    if digest.is_empty and account.when_empty is WhenEmpty.SKIP:
        return Batch()
    return freeze_for(account.recipients, account, digest, shop, edition)


def freeze_for(
    recipients: Sequence[Recipient], account: Account, digest: Digest, shop: Workshop, edition: int
) -> Batch:
    """One frozen message per recipient; what reads the same is rendered once."""
    rendered: dict[tuple[object, ...], tuple[RenderedMail, tuple[Attachment, ...]]] = {}
    messages = []
    at = shop.clock()
    for recipient in recipients:
        key = (recipient.language, recipient.group, recipient.attachments, recipient.columns)
        if key not in rendered:
            rendered[key] = render_for(recipient, account, digest, shop)
        parts, files = rendered[key]
        messages.append(
            freeze(
                parts,
                files,
                recipient=recipient,
                account=account,
                sender=shop.sender,
                day=digest.day,
                edition=edition,
                at=at,
            )
        )
    broken = next((parts.broken for parts, _ in rendered.values() if parts.broken), "")
    return Batch(tuple(messages), broken)


def render_for(
    recipient: Recipient, account: Account, digest: Digest, shop: Workshop
) -> tuple[RenderedMail, tuple[Attachment, ...]]:
    """The digest as a recipient reads it, and the files it tells of."""
    wanted = account.attachments if recipient.attachments is None else recipient.attachments
    theirs = replace(account, columns=recipient.columns or account.columns)
    files = attachments(digest, replace(theirs, attachments=wanted), recipient.language)
    parts = shop.renderer.digest(
        digest,
        replace(theirs, attachments=tuple(files)),
        shop.sender,
        language=recipient.language,
        group=recipient.group,
    )
    return parts, tuple(files.values())


def _next_digest(account: Account, day: date, now: datetime) -> datetime:
    """The instant another digest takes the place of this one: G11 tries until then."""
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


def _tell(level: int, event: str, sentence: str, run: Run) -> None:
    fields = {"event": event, "account": run.account_id, "day": run.day.isoformat()}
    logger.log(level, "%s", sentence, extra=fields | {"edition": run.edition})
