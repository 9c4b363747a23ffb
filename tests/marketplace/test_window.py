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
