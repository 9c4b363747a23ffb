"""What the admin must know now, and until when: a pure function of what the store knows.

A cause has a key. While its key is among the causes its alarm is open, and it is told once when it
begins and once when it ends, however many ticks see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """Something wrong, and what a person does about it.

    `key` is its kind, and after a slash what it is about: the same for as long as it is the same
    trouble. Its kind alone names no person.
    """

    key: str
    what: str
    remedy: str

    @property
    def kind(self) -> str:
        """What is wrong, without whom it is about."""
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A cause and its time."""

    id: int
    cause: Cause
    begun_at: datetime
    ended_at: datetime | None = None
