"""The steps of a run between which a process may die, by name.

Whoever listens hears of each as it is reached: the fault suite, which then kills the process.
Without a listener a boundary costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum


class Boundary(StrEnum):
    """In the order of a run; each is reached just after what it names, unless it says otherwise."""

    BEGUN = "begun"
    """The day is taken, nothing is read."""
    READ = "read"
    COMPOSED = "composed"
    """The messages are frozen in memory, and nothing of them is recorded."""
    FROZEN = "frozen"
    CLAIMED = "claimed"
    """The message is in hand and the attempt recorded; nobody is connected to."""
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
    LOOKED = "looked"
    """The alarms are begun and ended."""
    ERASED = "erased"
    BACKED_UP = "backed up"
    COMMITTING = "committing"
    """Just before any transaction is committed."""
    COMMITTED = "committed"


Listener = Callable[[Boundary], None]

_listener: Listener | None = None


def boundary(reached: Boundary) -> None:
    """Say that a boundary is reached."""
    if _listener is not None:
        _listener(reached)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear of every boundary of this process, on whatever thread it is reached."""
    global _listener  # noqa: PLW0603 - one for all, since a process dies as a whole
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
