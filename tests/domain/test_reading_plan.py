"""Which order details are read, and in which order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.reading_plan import (
    Frequency,
    OrderState,
    Policy,
    Reason,
    Step,
    only_shipped,
    plan,
)

TODAY = date(2026, 11, 23)
DAILY = Policy()
TRUSTING = Policy(trust_webhook=True, reread_days=3)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def read(days_ago: int, *, waits: bool = False, comes_back: bool = False) -> OrderState:
    return OrderState(None, ago(days_ago), waits, comes_back)


def ids(steps: tuple[Step, ...]) -> list[int]:
    return [step.id for step in steps]


def test_a_parcel_that_cannot_have_come_back_yet_is_not_read() -> None:
    listed = {1: ago(0), 2: ago(2), 3: ago(3), 4: ago(5)}

    assert ids(plan(listed, {}, TODAY, DAILY)) == [4, 3]


def test_an_order_without_a_shipping_day_is_read_first() -> None:
    assert ids(plan({1: ago(5), 2: None}, {}, TODAY, DAILY)) == [2, 1]


def test_the_most_important_reason_comes_first() -> None:
    listed = {1: ago(3), 2: ago(9), 3: ago(1), 4: ago(4), 5: ago(1), 6: ago(4)}
    seen = {
        5: OrderState(ago(1)),
        4: read(1, waits=True),
        6: read(1, comes_back=True),
        7: read(1, waits=True),
    }

    steps = plan(listed, seen, TODAY, DAILY, hinted=[5], waited=[3])

    assert [(step.id, step.reason) for step in steps] == [
        (4, Reason.WAITED),
        (3, Reason.WAITED),
        (5, Reason.HINTED),
        (2, Reason.COMES_BACK),
        (6, Reason.COMES_BACK),
        (1, Reason.DUE),
        (7, Reason.LEFT),
    ]


def test_an_order_that_waited_and_left_the_list_is_read_once_more() -> None:
    assert plan({}, {1: read(1)}, TODAY, DAILY, waited=[2]) == (Step(2, Reason.LEFT),)


def test_a_hint_about_an_unknown_order_costs_no_call() -> None:
    assert plan({}, {}, TODAY, DAILY, hinted=[1, 2, 3]) == ()


def test_a_hint_about_shipping_costs_no_call() -> None:
    listed = {1: ago(1), 2: ago(1), 3: None, 4: ago(3)}
    seen = {2: OrderState(ago(1))}

    steps = plan(listed, seen, TODAY, TRUSTING, hinted=listed)

    assert sorted(ids(steps)) == [2, 3, 4]


def test_the_frequency_all_reads_everything() -> None:
    listed = {1: ago(0), 2: ago(1), 3: ago(5)}

    assert ids(plan(listed, {}, TODAY, Policy(Frequency.ALL))) == [3, 2, 1]


@pytest.mark.parametrize(
    ("policy", "read_days_ago", "again"),
    [
        (DAILY, 1, True),
        (DAILY, 0, True),
        (Policy(Frequency.ALTERNATE), 1, False),
        (Policy(Frequency.ALTERNATE), 2, True),
        (TRUSTING, 2, False),
        (TRUSTING, 3, True),
        (TRUSTING, -1, True),
    ],
)
def test_an_order_is_read_again_after_its_pause(
    policy: Policy, read_days_ago: int, *, again: bool
) -> None:
    steps = plan({1: ago(5)}, {1: read(read_days_ago)}, TODAY, policy)

    assert bool(steps) is again


@pytest.mark.parametrize("policy", [TRUSTING, Policy(Frequency.ALTERNATE)])
@pytest.mark.parametrize(
    ("shipped", "state"), [(ago(4), read(0, comes_back=True)), (ago(8), read(0))]
)
def test_a_parcel_on_its_way_back_is_read_every_day(
    policy: Policy, shipped: date, state: OrderState
) -> None:
    (step,) = plan({1: shipped}, {1: state}, TODAY, policy)

    assert step.reason is Reason.COMES_BACK


days = st.dates(ago(30), ago(-2))
order_ids = st.integers(1, 30)


@given(
    listed=st.dictionaries(order_ids, st.none() | days),
    seen=st.dictionaries(
        order_ids, st.builds(OrderState, days, days, st.booleans(), st.booleans())
    ),
    waited=st.sets(order_ids),
    hinted=st.sets(order_ids),
    policy=st.builds(Policy, st.sampled_from(Frequency), trust_webhook=st.booleans()),
)
def test_every_order_that_waited_is_read_and_none_twice(
    listed: dict[int, date | None],
    seen: dict[int, OrderState],
    waited: set[int],
    hinted: set[int],
    policy: Policy,
) -> None:
    steps = plan(listed, seen, TODAY, policy, waited=waited, hinted=hinted)

    named = ids(steps)
    assert len(named) == len(set(named))
    assert waited <= set(named)
    assert {id_ for id_, state in seen.items() if state.waits} <= set(named)
    assert set(named) <= set(listed) | waited | set(seen)
    assert hinted & set(listed) & set(seen) <= set(named)


def test_a_shipping_day_in_the_future_is_ignored_and_the_order_is_read() -> None:
    tomorrow, nonsense = TODAY + timedelta(days=1), TODAY + timedelta(days=36 * 365)

    assert ids(plan({1: nonsense, 2: tomorrow}, {}, TODAY, DAILY)) == [1]
    assert only_shipped(tomorrow, None, TODAY, DAILY)
    assert not only_shipped(nonsense, None, TODAY, DAILY)
