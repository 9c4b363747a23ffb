"""Failures on request: what the next calls answer instead of what they should."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong answer. Without a body it is the marketplace's envelope for that status."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(slots=True)
class Faults:
    """Which calls fail: the next ones in a row, all, a share, or the detail of some orders."""

    _next: deque[Fault] = field(default_factory=deque)
    _always: Fault | None = None
    _share: float = 0.0
    _dice: Random = field(default_factory=lambda: Random(0))
    _broken: dict[int, Fault] = field(default_factory=dict)

    def plan(self, fault: Fault, count: int = 1) -> None:
        """Let that many further calls fail, after those that are planned already."""
        self._next.extend([fault] * count)

    def always(self, fault: Fault) -> None:
        """Let every call fail."""
        self._always = fault

    def now_and_then(self, share: float, seed: int) -> None:
        """Let a share (0 to 1) of all calls fail with 502 or 503, always the same ones."""
        self._share, self._dice = share, Random(f"faults/{seed}")

    def stop(self) -> None:
        """Let calls succeed again; broken details stay broken."""
        self._next.clear()
        self._always = None
        self._share = 0.0

    def break_detail(self, order_id: int, fault: Fault) -> None:
        """Let the detail of one order fail until further notice."""
        self._broken[order_id] = fault

    def take(self) -> Fault | None:
        """The failure of the call that is being made now."""
        if self._next:
            return self._next.popleft()
        if self._share and self._dice.random() < self._share:
            return Fault(self._dice.choice((502, 503)))
        return self._always

    def of_detail(self, order_id: int) -> Fault | None:
        """The failure of one order's detail."""
        return self._broken.get(order_id)
