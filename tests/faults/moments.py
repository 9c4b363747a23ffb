"""Named moments of a run, each found in a trace between two system calls.

The program knows nothing of these moments. Nothing outside a process can tell two deaths apart
between which it made no call. So a moment is as good as the call at whose entry the process is
killed: everything before that call is done, and the call itself is not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.acceptance.world import EVERYBODY
from tests.faults.trace import (
    FLUSHES_JOURNAL,
    MAIN,
    WRITES_JOURNAL,
    Call,
    Match,
    commits,
    does,
    is_first,
)


class Moment(StrEnum):
    """A moment of a run, in their order; each is just after what it names."""

    CREATED = "created"
    """The store's file is there and empty. This and the next seven: only in a store's first run."""
    HALF_MADE = "half made"
    """The file's first page is written, and the journal that would undo it is still there."""
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
    """The server is ready for a message: the program has just logged in, or said RSET."""
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
    _Row(
        Moment.HALF_MADE,
        does("unlink", 'notifier.db-journal"'),
        (does("pwrite64", "notifier.db>"), does("fdatasync", "notifier.db>")),
    ),
    _Row(Moment.JOURNALED, WRITES_JOURNAL),
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


def _rows(server: _MailServer) -> Iterator[_Row]:
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
        yield from _rows_of_message(server, is_first=number == 0)
    yield _Row(Moment.QUITTING, sends("QUIT"), (FLUSHES_JOURNAL,))
    yield _Row(Moment.CLOSED, WRITES_JOURNAL, (closes,))
    to_admin = (FLUSHES_JOURNAL, sends("RCPT TO:<admin@"), sends("."), FLUSHES_JOURNAL, closes)
    yield _Row(Moment.ALARMS_UPDATED, WRITES_JOURNAL, to_admin)
    emptied, installed = does("ftruncate", "-wal>, 0)"), does("rename", 'notifier.db.installed"')
    copies = does("pwrite64", "notifier.db.backup-")
    yield _Row(Moment.ERASED, copies, (FLUSHES_JOURNAL, emptied, installed))
    copied = does("rename", ".part-", "notifier.db.backup-")
    yield _Row(Moment.BACKED_UP, does("sendto", "HTTP/1.1"), (copied, FLUSHES_JOURNAL, installed))


def _rows_of_message(server: _MailServer, *, is_first: bool) -> Iterator[_Row]:
    sends, answers = server.sends, server.answers
    if is_first:
        yield _Row(Moment.CLAIMED, server.connects, (FLUSHES_JOURNAL,))
        yield _Row(Moment.CONNECTED, sends("MAIL FROM"), (answers(220), answers(235)))
    else:
        yield _Row(Moment.SETTLED, WRITES_JOURNAL, (FLUSHES_JOURNAL,))
        yield _Row(Moment.CLAIMED, sends("RSET"), (FLUSHES_JOURNAL,))
        yield _Row(Moment.CONNECTED, sends("MAIL FROM"), (answers(250),))
    yield _Row(Moment.MAIL, sends("RCPT TO"), (answers(250),))
    yield _Row(Moment.RCPT, sends("DATA"), (answers(250),))
    yield _Row(Moment.DATA, sends("From: "), (answers(354),))
    yield _Row(Moment.BODY, WRITES_JOURNAL)
    yield _Row(Moment.MARKED, sends("."), (FLUSHES_JOURNAL,))
    yield _Row(Moment.ANSWERED, WRITES_JOURNAL, (answers(250),))


def moments_of_a_run(calls: Sequence[Call], smtp_port: int) -> list[Hit]:
    """Find every moment of a run, each time it comes. Raises LookupError where one is missing."""
    hits = _find(calls, _rows(_MailServer(smtp_port)))
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
