"""What is left of a window at least, in whatever order calls and answers come."""

from __future__ import annotations

from notifier.sources.mall.tally import Begun, Tally


def begun(tally: Tally, count: int, now: float = 0.0) -> list[Begun]:
    return [tally.begin(now) for _ in range(count)]


def hear(tally: Tally, call: Begun, left: int) -> None:
    tally.end(left)
    if tally.is_news(call):
        tally.hear(call, left)
    else:
        tally.hear_late(left)


def test_what_is_under_way_is_taken_off() -> None:
    tally = Tally()
    first, *_ = begun(tally, 4)
    hear(tally, first, 10)

    assert tally.left == 7
    assert tally.under_way == 3


def test_of_all_answers_the_least_counts_and_no_answered_call_is_taken_off() -> None:
    tally = Tally()
    calls = begun(tally, 4)
    for call, left in zip(calls, (7, 9, 6, 8), strict=True):
        hear(tally, call, left)

    assert tally.left == 6


def test_an_answer_that_says_nothing_is_taken_off_until_a_later_call_is_answered() -> None:
    tally = Tally()
    first, lost = begun(tally, 2)
    hear(tally, first, 10)
    tally.end(None)
    assert tally.left == 9

    later = tally.begin(0.0)
    hear(tally, later, 8)
    assert (lost.number, tally.left) == (2, 8)


def test_an_older_call_that_is_told_less_may_be_of_another_window() -> None:
    tally = Tally()
    old, new = begun(tally, 2)
    hear(tally, new, 50)
    hear(tally, old, 3)

    assert tally.left == 49


def test_a_new_window_has_counted_whoever_was_told_more_in_it() -> None:
    tally = Tally()
    hear(tally, tally.begin(0.0), 1)
    *others, tells = begun(tally, 4)
    for left in (0, 98):
        tally.end(left)  # the latter came before the one that tells of the new window
    tally.end(97)
    tally.hear_of_new(tells, 97)

    assert len(others) == 3
    assert tally.left == 97 - 1 - 1  # one under way, one whose window nobody knows


def test_calls_that_one_window_has_counted_do_not_count_in_the_next() -> None:
    tally = Tally()
    for left in (7, 6, 5):
        hear(tally, tally.begin(0.0), left)
    tally.begin(0.0)
    tally.end(None)
    tally.renew(100, now=1.2)

    assert tally.left == 99


def test_what_a_call_of_the_last_window_is_told_is_no_news() -> None:
    tally = Tally()
    first, second = begun(tally, 2)
    hear(tally, first, 5)
    tally.renew(100, now=1.2)
    tally.end(4)

    assert not tally.is_news(second)
    tally.hear_late(4)
    assert tally.left == 99
