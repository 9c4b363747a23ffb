"""What is left of a day's calls, as the marketplace told last; it outlives the process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

UNTOLD = timedelta(hours=1)
"""How long it holds where the marketplace does not tell until when."""

BELIEVED = timedelta(hours=6)
"""How long it holds at most: the limit may have been raised meanwhile."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of a day, shared by all who call for the seller."""

    left: int
    told_at: datetime
    until: datetime
    """When they are counted anew."""
    daily_limit: int | None = None
    """Calls of a whole day, where an answer told."""

    def holds(self, now: datetime) -> bool:
        """Whether no more can be left now; a clock that was set back proves nothing."""
        return self.told_at <= now < min(self.until, self.told_at + BELIEVED)

    def dump(self) -> str:
        """As text, for the store."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def load(cls, text: str) -> Quota:
        """Of a text that was dumped."""
        said = json.loads(text)
        moments = {name: datetime.fromisoformat(said[name]) for name in ("told_at", "until")}
        return cls(**{**said, **moments})
