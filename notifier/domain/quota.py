"""What is left of a day's calls, by the marketplace's last answer; kept between runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

UNSTATED = timedelta(hours=1)
"""How long a quota holds if the marketplace does not say until when."""

BELIEVED = timedelta(hours=6)
"""How long a quota holds at most: the limit may have been raised meanwhile."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of a day, shared by all systems of the seller."""

    left: int
    stated_at: datetime
    until: datetime
    """When the marketplace starts to count anew."""
    daily_limit: int | None = None
    """Calls of a whole day; None if no answer stated it."""

    def holds(self, now: datetime) -> bool:
        """Whether no more than `left` can be left now; never after a clock was set back."""
        return self.stated_at <= now < min(self.until, self.stated_at + BELIEVED)
