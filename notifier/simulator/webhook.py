"""What the marketplace tells by itself: ids of orders that changed, at most once a minute.

Assumed, since nobody has documented it: an order is told at each change of its status and of
`ready_to_return`, not at what its carrier notes; the body is a bare JSON array of ids; a post
that is lost is not repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import NamedTuple

MINUTE = timedelta(minutes=1)


class Post(NamedTuple):
    """One POST. `at` is the time the orders have lived to."""

    at: datetime
    ids: tuple[int, ...]

    @property
    def body(self) -> bytes:
        """As it goes over the wire."""
        return json.dumps(self.ids, separators=(",", ":")).encode()


@dataclass(slots=True)
class Webhook:
    """Gives each post to `receive`, but for `lost_share` (0 to 1) of them."""

    receive: Callable[[Post], object]
    lost_share: float = 0.0
    seed: int = 1
    posted: int = 0
    lost: int = 0

    def tell(self, changes: Iterable[tuple[datetime, int]]) -> None:
        """Post changes (when, and of which order; in this sequence), all of a minute in one."""
        for minute, group in groupby(changes, key=lambda change: _minute_of(change[0])):
            post = Post(minute + MINUTE, tuple(dict.fromkeys(id_ for _, id_ in group)))
            if self._is_lost(post):
                self.lost += 1
            else:
                self.posted += 1
                self.receive(post)

    def _is_lost(self, post: Post) -> bool:
        if not self.lost_share:
            return False
        return Random(f"lost/{self.seed}/{post.at.isoformat()}").random() < self.lost_share


def _minute_of(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
