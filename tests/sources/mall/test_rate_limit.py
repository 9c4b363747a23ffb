"""No call is made that the limit may not allow, and little of the limit is left unused."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

import pytest

from notifier.sources.mall.rate_limit import Call, RateLimit


def says(remaining: int, reset: int, limit: int = 100) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


def call(limit: RateLimit, now: float, headers: dict[str, str]) -> None:
    limit.end(limit.begin(now), headers, now)


def is_open(limit: RateLimit, now: float) -> bool:
    return limit.opens_at(now) == now


def test_without_headers_nothing_waits() -> None:
    limit = RateLimit()
    call(limit, 1.0, {})

    assert is_open(limit, 1.0)
    assert limit.day_left is None


# The short window


def test_a_used_up_window_is_waited_for_and_a_second_more() -> None:
    limit = RateLimit()
    call(limit, 5.0, says(0, 10))

    # The header's seconds may be rounded down.
    assert limit.opens_at(5.0) == limit.opens_at(15.9) == 16.0
    assert is_open(limit, 16.0)


def test_calls_under_way_are_subtracted() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(2, 10))

    first = limit.begin(1.0)
    assert is_open(limit, 1.0)
    limit.begin(1.0)
    assert not is_open(limit, 1.0)

    limit.end(first, says(1, 10), 1.1)
    assert not is_open(limit, 1.1)


def test_after_a_window_one_call_asks_what_the_next_one_allows() -> None:
    limit = RateLimit()
    call(limit, 5.0, says(0, 10))

    asks = limit.begin(16.0)
    assert limit.opens_at(16.1) == 17.0  # then another asks, if this one is still not answered
    limit.end(asks, says(2, 10), 16.2)

    limit.begin(16.2)
    assert is_open(limit, 16.2)
    limit.begin(16.2)
    assert not is_open(limit, 16.2)


def test_the_calls_that_ask_are_a_second_apart_and_any_answer_will_do() -> None:
    limit = RateLimit()
    call(limit, 5.0, says(0, 10))

    slow = limit.begin(16.0)
    limit.begin(17.0)
    assert limit.opens_at(17.1) == 18.0
    limit.end(slow, says(9, 10), 17.5)

    assert is_open(limit, 17.5)


@pytest.mark.parametrize(("first_says", "opens"), [(2, True), (0, False)], ids=["before", "after"])
def test_of_calls_that_overtook_each_other_the_lowest_remaining_counts(
    first_says: int, opens: bool
) -> None:
    limit = RateLimit()
    first, second = limit.begin(1.0), limit.begin(1.0)
    limit.end(second, says(1, 10), 1.0)
    assert not is_open(limit, 1.0)  # the first may have arrived after it
    limit.end(first, says(first_says, 10), 1.0)

    assert is_open(limit, 1.0) is opens


def test_a_call_without_an_answer_is_subtracted_until_a_later_one_is_answered() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(2, 10))
    call(limit, 1.0, {})

    later = limit.begin(2.0)
    assert not is_open(limit, 2.0)
    limit.end(later, says(1, 10), 2.0)

    assert is_open(limit, 2.0)


def test_a_call_answered_together_with_a_silent_one_may_not_include_it() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(3, 10))
    silent, other = limit.begin(1.0), limit.begin(1.0)
    limit.end(silent, {}, 1.0)
    limit.end(other, says(1, 10), 1.0)

    assert not is_open(limit, 1.0)


def test_more_left_than_before_a_call_began_is_a_new_window() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(1, 1))
    call(limit, 1.5, says(99, 10))

    assert limit.opens_at(1.5) == 1.5
    for _ in range(99):
        limit.begin(1.5)
    assert limit.opens_at(1.5) == 12.5


def test_a_call_from_before_a_new_window_costs_one_call_of_it_and_no_more() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(9, 1))
    slow = limit.begin(1.0)
    call(limit, 3.5, says(3, 10))
    limit.end(slow, says(0, 1), 3.6)  # it was counted in the old window, or else in the new one

    limit.begin(3.6)
    assert is_open(limit, 3.6)
    limit.begin(3.6)
    assert not is_open(limit, 3.6)
    assert limit.opens_at(3.6) == 14.5


def test_a_limit_without_its_size_is_kept_as_well() -> None:
    limit = RateLimit()
    call(limit, 1.0, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"})

    assert limit.opens_at(1.0) == 7.0


# The day


def test_a_day_is_a_quota_and_sets_no_pace() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(40, 3_600))

    assert is_open(limit, 1.0)
    assert (limit.day_left, limit.day_ends_at) == (40, 3_601.0)


def test_calls_under_way_are_subtracted_from_the_day() -> None:
    limit = RateLimit()
    first, *_others = [limit.begin(1.0) for _ in range(3)]
    limit.end(first, says(40, 3_600), 1.0)

    assert limit.day_left == 38
    limit.begin(1.0)
    assert limit.day_left == 37


def test_an_answer_that_is_overtaken_gives_nothing_back() -> None:
    limit = RateLimit()
    first, second = limit.begin(1.0), limit.begin(1.0)
    limit.end(second, says(40, 3_600), 1.0)
    limit.end(first, says(41, 3_600), 1.0)

    assert limit.day_left == 40


def test_a_new_day_has_its_own_quota() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(3, 70))
    call(limit, 72.0, says(99, 86_400))

    assert limit.day_left == 99


def test_the_last_minute_of_a_day_is_no_short_window() -> None:
    limit = RateLimit()
    call(limit, 1.0, says(9, 90))
    call(limit, 40.0, says(0, 50))

    assert limit.day_left == 0
    assert is_open(limit, 40.0)


def test_a_quota_known_from_an_earlier_run_holds_until_an_answer_states_another() -> None:
    limit = RateLimit(day_left=5, daily_limit=100)
    asks = limit.begin(1.0)
    assert (limit.day_left, limit.day_is_stated) == (4, False)

    limit.end(asks, says(70, 30), 1.0)  # seconds before midnight
    assert (limit.day_left, limit.day_is_stated) == (70, True)


@pytest.mark.parametrize("reserve", [0, 7])
@pytest.mark.parametrize("silent", [0.0, 0.2])
def test_the_reserve_is_never_touched_however_calls_and_answers_overtake_each_other(
    reserve: int, silent: float
) -> None:
    for seed in range(200):
        draw = Random(seed)  # noqa: S311 - a story, not a secret
        limit, left = RateLimit(), 60
        call(limit, 1.0, says(left, 3_600))
        sent: list[Call] = []
        counted: list[tuple[Call, int]] = []
        while True:
            assert limit.day_left is not None
            may_begin = limit.day_left > reserve and len(sent) + len(counted) < 24
            if not (may_begin or sent or counted):
                break
            match draw.choice(["begin", "arrive", "answer"]):
                case "begin" if may_begin:
                    sent.append(limit.begin(1.0))
                case "arrive" if sent:
                    left -= 1
                    counted.append((sent.pop(draw.randrange(len(sent))), left))
                case "answer" if counted:
                    answered, remaining = counted.pop(draw.randrange(len(counted)))
                    is_silent = draw.random() < silent
                    limit.end(answered, {} if is_silent else says(remaining, 3_600), 1.0)

        assert left >= reserve
        assert silent or left == reserve


# Seasons in virtual time

Rounding = Callable[[float], int]


@dataclass
class Season:
    """Workers that call one server, which counts in fixed windows, until `calls` were made.

    One of those that want to call waits for the limit, and the others for that one.

    Each way takes a few milliseconds, sometimes far more, so that calls and answers overtake each
    other; at times the workers' whole process stands still. `rounding` makes the whole seconds
    to the end of a window, as the server states them.
    """

    rate: int
    window_seconds: int
    calls: int
    rounding: Rounding
    seed: int
    stall: float = 0.0
    """The longest standstill of the process, in seconds."""
    silent: float = 0.0
    """The share of answers without headers."""
    latency: float = 0.04
    """Seconds that the server takes for an answer."""
    others_at_once: float = 0.0
    """The share of the limit that others use at the beginning of each window."""
    others: float = 0.0
    """The share of the limit that others use evenly over each window."""
    workers: int = 24
    refused: int = 0
    too_many: int = 0
    """Calls that began although no more were left than were on their way."""
    now: float = 0.0

    def __post_init__(self) -> None:
        self._draw = Random(self.seed)  # noqa: S311 - a story, not a secret
        self._limit = RateLimit()
        self._used: dict[int, int] = {}
        self._sent = 0
        self._queued = 0
        self._next: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._numbers = count()

    def play(self) -> float:
        """Return how long it took, as a multiple of N/R. The first answer is awaited, as a list."""
        calls, began = self.calls, self._draw.uniform(1, 1 + self.window_seconds)
        self._at(began, self.ask)
        awake_at = 0.0
        while self._next:
            at, _, happens, with_ = heapq.heappop(self._next)
            if happens != self.arrive:
                at = max(at, awake_at)
                if self.stall and self._draw.random() < 0.002:
                    awake_at = at + self._draw.uniform(0, self.stall)
            self.now = at
            happens(*with_)
        return (self.now - began) * self.rate / calls

    def ask(self) -> None:
        if self.calls > 0:
            self.calls -= 1
            self._queued += 1
            if self._queued == 1:
                self.wake()

    def wake(self) -> None:
        while self._queued and (opens_at := self._limit.opens_at(self.now)) <= self.now:
            self._queued -= 1
            self._sent += 1
            self.too_many += self._sent > self.remaining()
            self._at(self.now + self._way(), self.arrive, self._limit.begin(self.now))
        if self._queued:
            soon = min(opens_at, self.now + 0.1) if self._limit.is_busy else opens_at
            self._at(soon + self._draw.uniform(0, 0.004), self.wake)

    def remaining(self) -> int:
        window, elapsed = divmod(self.now, self.window_seconds)
        others = self.others_at_once + self.others * elapsed / self.window_seconds
        limit = self.rate * self.window_seconds
        return max(0, limit - self._used.get(int(window), 0) - int(others * limit))

    def arrive(self, begun: Call) -> None:
        window, elapsed = divmod(self.now, self.window_seconds)
        self._sent -= 1
        self.refused += self.remaining() == 0
        self._used[int(window)] = self._used.get(int(window), 0) + 1
        reset = max(1, self.rounding(self.window_seconds - elapsed))
        headers = says(self.remaining(), reset, self.rate * self.window_seconds)
        self._at(self.now + self.latency + self._way(), self.answered, begun, headers)

    def answered(self, begun: Call, headers: dict[str, str]) -> None:
        is_first = begun[0].number == 1
        is_silent = not is_first and self._draw.random() < self.silent
        self._limit.end(begun, {} if is_silent else headers, self.now)
        for _ in range(self.workers if is_first else 1):
            self.ask()

    def _way(self) -> float:
        slow = self._draw.random() < 0.05
        return self._draw.uniform(0.001, 0.01) + (self._draw.expovariate(20) if slow else 0.0)

    def _at(self, at: float, happens: Callable[..., None], *with_: object) -> None:
        heapq.heappush(self._next, (at, next(self._numbers), happens, with_))


ROUNDINGS = pytest.mark.parametrize("rounding", [round, math.ceil, math.floor])


@ROUNDINGS
@pytest.mark.parametrize("rate", [20, 50, 100, 200])
@pytest.mark.parametrize(("window_seconds", "most"), [(1, 2.2), (10, 1.15), (20, 1.15), (60, 1.15)])
def test_two_thousand_details_take_little_longer_than_the_limit_allows(
    rate: int, window_seconds: int, most: float, rounding: Rounding
) -> None:
    for seed in range(3):
        season = Season(rate, window_seconds, 2_000, rounding, seed)

        assert season.play() <= most
        assert (season.refused, season.too_many) == (0, 0)


@ROUNDINGS
@pytest.mark.parametrize("stall", [0.0, 0.3])
@pytest.mark.parametrize("rate", [1, 2, 5, 10, 50, 200])
@pytest.mark.parametrize(
    ("window_seconds", "most"), [(1, 2.2), (2, 1.2), (3, 1.15), (5, 1.15), (10, 1.15)]
)
def test_a_limit_is_used_up_and_never_run_into(
    rate: int, window_seconds: int, most: float, rounding: Rounding, stall: float
) -> None:
    for seed in range(2):
        season = Season(rate, window_seconds, max(rate * 40, 80), rounding, seed, stall)

        assert season.play() <= most
        assert (season.refused, season.too_many) == (0, 0)


@ROUNDINGS
@pytest.mark.parametrize("rate", [2, 5, 20, 100])
@pytest.mark.parametrize(("window_seconds", "stall"), [(1, 0.0), (1, 0.3), (2, 0.3), (5, 0.3)])
def test_a_limit_that_some_answers_do_not_state_is_not_run_into(
    rate: int, window_seconds: int, rounding: Rounding, stall: float
) -> None:
    for seed in range(3):
        season = Season(rate, window_seconds, rate * 40, rounding, seed, stall, silent=0.1)

        season.play()

        assert (season.refused, season.too_many) == (0, 0)


@ROUNDINGS
@pytest.mark.parametrize("latency", [0.0, 0.1, 0.4, 1.5])
@pytest.mark.parametrize("rate", [2, 10, 50, 400])
@pytest.mark.parametrize("window_seconds", [1, 2, 10])
def test_however_slow_the_answers_are_the_limit_is_not_run_into(
    rate: int, window_seconds: int, latency: float, rounding: Rounding
) -> None:
    season = Season(rate, window_seconds, min(rate * 40, 2_000), rounding, 0, latency=latency)

    season.play()

    assert (season.refused, season.too_many) == (0, 0)


@ROUNDINGS
@pytest.mark.parametrize("rate", [5, 20, 100])
@pytest.mark.parametrize("window_seconds", [1, 10])
def test_what_others_used_before_us_is_not_taken_for_left(
    rate: int, window_seconds: int, rounding: Rounding
) -> None:
    season = Season(rate, window_seconds, rate * 40, rounding, 0, others_at_once=0.4)

    season.play()

    assert (season.refused, season.too_many) == (0, 0)


@ROUNDINGS
@pytest.mark.parametrize("rate", [5, 20, 100])
def test_others_who_call_at_the_same_time_make_us_run_into_the_limit_seldom(
    rate: int, rounding: Rounding
) -> None:
    """What they use while our calls are under way, no answer can tell."""
    season = Season(rate, 10, 2_000, rounding, 0, others=0.3)

    season.play()

    assert season.refused <= 2_000 // 100
