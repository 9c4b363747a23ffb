"""The pace that answers set, and what they leave of a day."""

from __future__ import annotations

import pytest

from notifier.marketplace.window import Window


def told(left: int, lasts: int, limit: int = 100) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(lasts),
    }


def call(window: Window, now: float, headers: dict[str, str] | None) -> None:
    window.begin()
    window.end(headers, now)


def test_as_long_as_nothing_is_told_nobody_waits() -> None:
    window = Window()
    call(window, 0.0, None)
    call(window, 0.0, {})

    assert (window.wait(0.0), window.wait(0.0), window.allowance) == (0.0, 0.0, None)


def test_a_day_is_an_allowance_and_no_pace() -> None:
    window = Window()
    call(window, 0.0, told(40, 3_600))

    assert (window.wait(0.0), window.wait(0.0)) == (0.0, 0.0)
    assert window.allowance == 40


def test_calls_under_way_are_counted() -> None:
    window = Window()
    for _ in range(3):
        window.begin()
    window.end(told(40, 3_600), 0.0)

    assert window.allowance == 38
    window.begin()
    assert window.allowance == 37


def test_an_answer_that_comes_late_gives_nothing_back() -> None:
    window = Window()
    for _ in range(2):
        window.begin()
    window.end(told(40, 3_600), 0.0)
    window.end(told(41, 3_600), 0.0)

    assert window.allowance == 40


def test_a_new_day_has_its_own_allowance() -> None:
    window = Window()
    call(window, 0.0, told(3, 70))
    call(window, 71.0, told(99, 86_400))

    assert window.allowance == 99


def test_a_short_window_sets_a_pace_a_little_below_what_it_allows() -> None:
    window = Window()
    call(window, 0.0, told(99, 1, limit=100))

    waits = [window.wait(0.0) for _ in range(101)]

    assert window.allowance is None
    assert waits == sorted(waits)
    assert 1.0 < waits[-1] < 1.1


def test_what_was_slept_too_long_is_caught_up_but_no_pause() -> None:
    window = Window()
    call(window, 0.0, told(99, 1, limit=100))

    assert sum(window.wait(10.0) == 0.0 for _ in range(30)) < 15


def test_a_window_that_is_used_up_is_waited_for() -> None:
    window = Window()
    call(window, 5.0, told(0, 10))

    assert window.wait(5.0) == pytest.approx(10.5)
    assert window.wait(16.0) < 1.0


def test_of_answers_that_overtook_each_other_the_lowest_figure_counts() -> None:
    window = Window()
    window.begin()
    window.begin()
    window.end(told(0, 10), 0.0)
    window.end(told(1, 10), 0.0)

    assert window.wait(0.0) > 0.0


def play(limit: int, window_seconds: float, calls: int, *, starts_at: float) -> tuple[float, int]:
    """Seconds that calls at the pace of a window take at a server that counts in fixed windows,
    and how many of them it refuses. An answer comes 40 ms after its call."""
    window, now, refused = Window(), starts_at, 0
    under_way: list[tuple[float, dict[str, str]]] = []
    used: dict[int, int] = {}
    for _ in range(calls):
        at = now + window.wait(now)
        for done_at, headers in [one for one in under_way if one[0] <= at or len(under_way) == 16]:
            window.end(headers, max(done_at, now))
            under_way.remove((done_at, headers))
            at = max(at, done_at)
        now = at
        window.begin()
        number = int(now // window_seconds)
        refused += used.get(number, 0) >= limit
        used[number] = used.get(number, 0) + 1
        lasts = max(1, round(window_seconds - now % window_seconds))
        left = max(0, limit - used[number])
        under_way.append((now + 0.04, told(left, lasts, limit)))
    return now - starts_at, refused


@pytest.mark.parametrize("starts_at", [0.0, 0.3, 4.9, 7.77, 9.9])
@pytest.mark.parametrize("rate", [20, 50, 100, 200])
@pytest.mark.parametrize("window_seconds", [5, 10, 60])
def test_a_limit_is_used_up_and_not_run_into(
    rate: int, window_seconds: int, starts_at: float
) -> None:
    calls = rate * 60

    seconds, refused = play(rate * window_seconds, window_seconds, calls, starts_at=starts_at)

    assert refused == 0
    assert seconds <= 1.1 * calls / rate
