"""The marketplace's webhook: ids of orders that changed, at most one post a minute.

The marketplace has not documented it. We assume: an order is posted at each change of its status
and of `ready_to_return`, not at a carrier's event; the body is a bare JSON array of ids; a lost
post is not repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import NamedTuple


class Post(NamedTuple):
    """One POST. `at` is the end of the minute in which the orders changed."""

    at: datetime
    ids: tuple[int, ...]

    @property
    def body(self) -> bytes:
        """Bytes sent over the wire."""
        return json.dumps(self.ids, separators=(",", ":")).encode()


@dataclass(slots=True)
class Webhook:
    """Passes each post to `receive`, except for a `lost_share` (0 to 1) of them."""

    receive: Callable[[Post], object]
    lost_share: float = 0.0
    seed: int = 1

    def post(self, changes: Iterable[tuple[datetime, int]]) -> None:
        """Post changes (time and order id, in order of time), all of a minute in one post."""
        for minute, group in groupby(
            changes, key=lambda change: change[0].replace(second=0, microsecond=0)
        ):
            ids = tuple(dict.fromkeys(order_id for _, order_id in group))
            post = Post(minute + timedelta(minutes=1), ids)
            # Seeded by the time of the post, so that the same posts are lost in every run.
            dice = Random(f"lost/{self.seed}/{post.at.isoformat()}")
            if dice.random() >= self.lost_share:
                self.receive(post)
