"""The pace that answers set, and what they leave of a day."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest

from notifier.sources.mall.tally import Begun
from notifier.sources.mall.window import Window


def told(left: int, lasts: int, limit: int = 100) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(lasts),
    }


def call(window: Window, now: float, headers: dict[str, str] | None) -> None:
    window.end(window.begin(now), headers, now)


def test_as_long_as_nothing_is_told_nobody_waits() -> None:
    window = Window()
    call(window, 0.0, None)
    call(window, 0.0, {})

    assert window.opens_at(0.0) == 0.0
    assert window.quota is None


def test_a_day_is_an_allowance_and_no_pace() -> None:
    window = Window()
    call(window, 0.0, told(40, 3_600))

    assert window.opens_at(0.0) == 0.0
    assert window.quota == 40


def test_calls_under_way_are_counted() -> None:
    window = Window()
    first, *_others = [window.begin(0.0) for _ in range(3)]
    window.end(first, told(40, 3_600), 0.0)

    assert window.quota == 38
    window.begin(0.0)
    assert window.quota == 37


def test_an_answer_that_comes_late_gives_nothing_back() -> None:
    window = Window()
    first, second = window.begin(0.0), window.begin(0.0)
    window.end(second, told(40, 3_600), 0.0)
    window.end(first, told(41, 3_600), 0.0)

    assert window.quota == 40


def test_a_new_day_has_its_own_allowance() -> None:
    window = Window()
    call(window, 0.0, told(3, 70))
    call(window, 71.0, told(99, 86_400))

    assert window.quota == 99


def test_a_short_window_sets_a_pace_a_little_below_what_it_allows() -> None:
    window = Window()
    call(window, 0.0, told(99, 1, limit=100))

    now = 0.0
    for left in range(98, -1, -1):
        now = window.opens_at(now)
        call(window, now, told(left, 1, limit=100))

    assert window.quota is None
    assert 1.2 < now < 1.4  # until it is learnt when windows end, a quarter of them is spared


def test_what_was_slept_too_long_is_caught_up_but_no_pause() -> None:
    window = Window()
    call(window, 0.0, told(99, 1, limit=100))

    at_once = 0
    while window.opens_at(10.0) == 10.0:
        window.begin(10.0)
        at_once += 1
    assert 2 < at_once < 15


def test_a_window_that_is_used_up_is_waited_for() -> None:
    window = Window()
    call(window, 5.0, told(0, 10))

    # A second more, as the seconds told are whole ones.
    assert window.opens_at(5.0) == window.opens_at(15.9) == 16.0
    assert window.opens_at(16.0) == 16.0


@pytest.mark.parametrize(
    ("first_left", "is_open"), [(2, True), (1, False), (0, False)], ids=["before", "with", "after"]
)
def test_of_calls_that_overtook_each_other_the_one_that_was_told_more_came_first(
    first_left: int, is_open: bool
) -> None:
    window = Window()
    first, second = window.begin(0.0), window.begin(0.0)
    window.end(second, told(1, 10), 0.0)
    assert window.opens_at(0.0) > 0.0  # the first may have come after it
    window.end(first, told(first_left, 10), 0.0)

    assert (window.opens_at(0.0) == 0.0) is is_open


def test_a_call_that_began_before_another_and_ended_after_it_may_not_be_counted() -> None:
    window = Window()
    slow = window.begin(0.0)
    call(window, 1.0, told(1, 10))
    assert window.opens_at(9.0) == 12.0

    window.end(slow, None, 9.0)
    call(window, 9.0, told(1, 10))
    assert window.opens_at(10.0) == 10.0


def test_calls_nobody_heard_of_again_do_not_count_for_ever() -> None:
    window = Window()
    calls = [window.begin(0.0) for _ in range(9)]
    window.end(calls[0], told(4, 10, limit=5), 0.0)
    for one in calls[1:]:
        window.end(one, None, 0.0)

    assert window.opens_at(0.0) == 11.0
    assert window.opens_at(11.0) == 22.0  # all of them may have come in the second window
    assert window.opens_at(22.0) == 22.0


def test_where_only_what_is_left_is_told_the_most_ever_seen_is_the_limit() -> None:
    window = Window()
    call(window, 0.0, {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "5"})
    call(window, 5.0, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"})

    assert window.opens_at(5.0) == window.opens_at(11.0) == 11.0
    call(window, 11.0, None)
    assert window.opens_at(15.0) == 15.0
    call(window, 15.0, None)
    assert window.opens_at(15.0) == 17.0


Rounding = Callable[[float], int]


@dataclass
class Season:
    """Workers that ask one server, which counts in fixed windows, until `calls` were made.

    One of those that want to call waits for the window, and the others for it.

    Each way takes a few milliseconds, sometimes far more, so that calls and answers overtake each
    other; at times the workers' whole process stands still. `rounding` makes the whole seconds
    that the server tells to the end of a window.
    """

    limit: int
    window_seconds: int
    calls: int
    rounding: Rounding
    draw: Random
    stall: float
    silent: float = 0.0
    """This share of the answers tells nothing of the limit."""
    workers: int = 24
    window: Window = field(default_factory=Window)
    used: dict[int, int] = field(default_factory=dict)
    refused: int = 0
    now: float = 0.0
    _queued: int = 0
    _next: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = field(
        default_factory=list
    )
    _numbers: count[int] = field(default_factory=count)

    def play(self) -> float:
        """Seconds that it took. The first answer is awaited, as that to a list is."""
        began = self.draw.uniform(0, self.window_seconds)
        self._at(began, self.ask)
        awake_at = 0.0
        while self._next:
            at, _, happens, with_ = heapq.heappop(self._next)
            if happens != self.arrive:
                at = max(at, awake_at)
                if self.stall and self.draw.random() < 0.002:
                    awake_at = at + self.draw.uniform(0, self.stall)
            self.now = at
            happens(*with_)
        return self.now - began

    def ask(self) -> None:
        if self.calls > 0:
            self.calls -= 1
            self._queued += 1
            if self._queued == 1:
                self.wake()

    def wake(self) -> None:
        while self._queued and (opens_at := self.window.opens_at(self.now)) <= self.now:
            self._queued -= 1
            self._at(self.now + self._way(), self.arrive, self.window.begin(self.now))
        if self._queued:
            soon = min(opens_at, self.now + 0.1) if self.window.is_busy else opens_at
            self._at(soon + self.draw.uniform(0, 0.004), self.wake)

    def arrive(self, begun: Begun) -> None:
        number = int(self.now // self.window_seconds)
        self.refused += self.used.get(number, 0) >= self.limit
        self.used[number] = self.used.get(number, 0) + 1
        lasts = max(1, self.rounding(self.window_seconds - self.now % self.window_seconds))
        headers = told(max(0, self.limit - self.used[number]), lasts, self.limit)
        self._at(self.now + 0.04 + self._way(), self.answered, begun, headers)

    def answered(self, begun: Begun, headers: dict[str, str]) -> None:
        is_silent = begun.number > 1 and self.draw.random() < self.silent
        self.window.end(begun, None if is_silent else headers, self.now)
        for _ in range(self.workers if begun.number == 1 else 1):
            self.ask()

    def _way(self) -> float:
        slow = self.draw.random() < 0.05
        return self.draw.uniform(0.001, 0.01) + (self.draw.expovariate(20) if slow else 0.0)

    def _at(self, at: float, happens: Callable[..., None], *with_: object) -> None:
        heapq.heappush(self._next, (at, next(self._numbers), happens, with_))


@pytest.mark.parametrize("stall", [0.0, 0.3])
@pytest.mark.parametrize("rounding", [round, math.ceil, math.floor])
@pytest.mark.parametrize("rate", [5, 10, 20, 50, 100, 200])
@pytest.mark.parametrize(("window_seconds", "most"), [(1, 1.1), (2, 1.1), (5, 1.05), (10, 1.05)])
def test_a_limit_is_used_up_and_never_run_into(
    rate: int, window_seconds: int, most: float, rounding: Rounding, stall: float
) -> None:
    """`most` times as long as the limit allows; of a short window, to learn its end is much."""
    calls = rate * 40
    for seed in range(2):
        draw = Random(seed)  # noqa: S311 - a story, not a secret
        season = Season(rate * window_seconds, window_seconds, calls, rounding, draw, stall)

        seconds = season.play()

        assert season.refused == 0
        assert seconds <= most * calls / rate


@pytest.mark.parametrize("rounding", [round, math.ceil])
@pytest.mark.parametrize("rate", [50, 100, 200])
@pytest.mark.parametrize("window_seconds", [1, 2])
def test_two_thousand_calls_take_little_longer_than_the_limit_allows(
    rate: int, window_seconds: int, rounding: Rounding
) -> None:
    """However much of so short a time goes by until it is learnt when windows end."""
    for seed in range(5):
        draw = Random(seed)  # noqa: S311 - a story, not a secret
        season = Season(rate * window_seconds, window_seconds, 2_000, rounding, draw, stall=0.0)

        assert season.play() <= 1.1 * 2_000 / rate
        assert season.refused == 0


@pytest.mark.parametrize("rounding", [round, math.ceil, math.floor])
@pytest.mark.parametrize(
    ("rate", "window_seconds", "most"),
    [(1, 1, 2.1), (2, 1, 2.1), (1, 2, 1.5), (2, 2, 1.1), (1, 5, 1.1)],
)
def test_where_few_calls_are_allowed_one_is_made_as_soon_as_it_surely_may(
    rate: int, window_seconds: int, most: float, rounding: Rounding
) -> None:
    """Of what is used up by one or two calls it is not learnt when it ends: but what it tells of
    that is never off by more than a second."""
    for seed in range(5):
        draw = Random(seed)  # noqa: S311 - a story, not a secret
        season = Season(rate * window_seconds, window_seconds, 80, rounding, draw, stall=0.0)

        assert season.play() <= most * 80 / rate
        assert season.refused == 0


@pytest.mark.parametrize("rounding", [round, math.ceil, math.floor])
@pytest.mark.parametrize("rate", [2, 5, 20, 100])
@pytest.mark.parametrize(("window_seconds", "stall"), [(1, 0.0), (1, 0.3), (2, 0.3), (5, 0.3)])
def test_a_limit_that_not_every_answer_tells_of_is_not_run_into(
    rate: int, window_seconds: int, rounding: Rounding, stall: float
) -> None:
    for seed in range(3):
        draw = Random(seed)  # noqa: S311 - a story, not a secret
        limit = rate * window_seconds
        season = Season(limit, window_seconds, rate * 40, rounding, draw, stall, silent=0.1)

        season.play()

        assert season.refused == 0


def test_the_last_minute_of_a_day_is_no_short_window() -> None:
    window = Window()
    call(window, 0.0, told(9, 90))
    call(window, 40.0, told(8, 50))

    assert window.quota == 8
    assert window.opens_at(40.0) == 40.0
