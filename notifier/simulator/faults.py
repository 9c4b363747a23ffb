"""Failures on request: what the next calls answer instead of what they should."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong answer. Without a body it is the marketplace's envelope for that status."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(slots=True)
class Faults:
    """Which calls fail: the next ones in a row, all, or the detail of some orders."""

    _next: deque[Fault] = field(default_factory=deque)
    _always: Fault | None = None
    _broken: dict[int, Fault] = field(default_factory=dict)

    def plan(self, fault: Fault, count: int = 1) -> None:
        """Let that many further calls fail, after those that are planned already."""
        self._next.extend([fault] * count)

    def always(self, fault: Fault) -> None:
        """Let every call fail."""
        self._always = fault

    def stop(self) -> None:
        """Let calls succeed again; broken details stay broken."""
        self._next.clear()
        self._always = None

    def break_detail(self, order_id: int, fault: Fault) -> None:
        """Let the detail of one order fail until further notice."""
        self._broken[order_id] = fault

    def take(self) -> Fault | None:
        """The failure of the call that is being made now."""
        if self._next:
            return self._next.popleft()
        return self._always

    def of_detail(self, order_id: int) -> Fault | None:
        """The failure of one order's detail."""
        return self._broken.get(order_id)
