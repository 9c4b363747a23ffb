"""The content of a digest, compared with the last snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.digest import Digest, compose
from notifier.domain.orders import Item
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.i18n.language import Money
from tests.factories import DAY, NOON, account, digest, order, schedule, snapshot


def ids(entries: tuple[object, ...]) -> list[int]:
    return [entry.order.id for entry in entries]  # type: ignore[attr-defined] # any Entry


def test_orders_not_known_before_are_new_and_known_ones_still_wait() -> None:
    result = digest(order(1), order(2), previous=snapshot(order(1)))

    assert ids(result.new) == [2]
    assert ids(result.waiting) == [1]


def test_orders_that_left_the_list_are_collected_with_their_departure() -> None:
    reading = Complete(NOON, (), departed={1: Departure.RETURNED, 2: Departure.LOST})

    result = compose(account(), reading, snapshot(order(1), order(2)), DAY)

    assert {e.order.id: e.departure for e in result.collected} == {
        1: Departure.RETURNED,
        2: Departure.LOST,
    }


def test_on_the_very_first_digest_nothing_is_new_and_shipping_dates_decide() -> None:
    late = order(1, shipped_at=datetime(2026, 11, 12, tzinfo=UTC))
    early = order(2, shipped_at=datetime(2026, 11, 2, tzinfo=UTC))

    result = compose(account(), Complete(NOON, (late, early)), None, DAY)

    assert result.is_first
    assert result.new == ()
    assert ids(result.waiting) == [2, 1]
    assert result.watching_since == DAY


def test_days_waiting_count_from_first_seen() -> None:
    before = snapshot(order(1), o1=date(2026, 11, 15))

    (entry,) = digest(order(1), previous=before).waiting

    assert (entry.first_seen, entry.days_waiting, entry.overdue) == (date(2026, 11, 15), 7, True)


def test_until_the_whole_list_was_read_once_nothing_is_new() -> None:
    before = replace(snapshot(order(1), o1=date(2026, 11, 20)), ever_complete=False)

    result = digest(order(1), order(2), previous=before)

    assert result.is_first
    assert result.new == ()
    assert [(e.order.id, e.first_seen) for e in result.waiting] == [
        (1, date(2026, 11, 20)),
        (2, DAY),
    ]


def test_orders_of_an_earlier_edition_are_still_new_or_reported_as_collected() -> None:
    earlier = snapshot(order(2), order(3), day=DAY).known
    before = replace(snapshot(order(1)), earlier=earlier)
    reading = Complete(NOON, (order(1), order(2)), departed={3: Departure.RETURNED})

    result = compose(account(), reading, before, DAY)

    assert (ids(result.new), ids(result.waiting), ids(result.collected)) == ([2], [1], [3])


def test_a_digest_of_yesterday_requested_today_shows_what_waits_today() -> None:
    reading = Complete(datetime(2026, 11, 23, 5, tzinfo=UTC), (order(1),))

    result = compose(account(), reading, snapshot(), DAY)

    (entry,) = result.new
    assert (entry.first_seen, entry.days_waiting) == (date(2026, 11, 23), 0)


def test_a_slot_before_midnight_that_is_read_after_it_belongs_to_its_day() -> None:
    late = account(schedule=schedule(send_at=time(23, 58)))
    reading = Complete(datetime(2026, 11, 22, 23, 3, tzinfo=UTC), (order(1),))

    (entry,) = compose(late, reading, snapshot(), DAY).new

    assert entry.first_seen == DAY


def test_only_what_the_seller_has_collected_counts_as_collected() -> None:
    left = {1: Departure.RETURNED, 2: Departure.LOST, 3: Departure.WITHDRAWN}
    before = snapshot(order(1), order(2), order(3))

    result = compose(account(), Complete(NOON, (), departed=left), before, DAY)

    assert (len(result.collected), result.returned, result.lost) == (3, 1, 1)


def test_an_unread_order_stays_in_the_list_and_in_the_gap() -> None:
    reading = Incomplete(NOON, (order(2),), "page 2 could not be read", unread=(1,))

    result = compose(account(), reading, snapshot(order(1), order(2)), DAY)

    assert ids(result.waiting) == [1, 2]
    assert [e.unread for e in result.waiting] == [True, False]
    assert result.collected == ()
    assert result.gap is not None
    assert result.gap.unread == (1,)


def test_unread_orders_have_the_numbers_that_people_know() -> None:
    known = order(2**62 + 1, number="SI-17")
    reading = Incomplete(NOON, (), "why", unread=(7, 2**62 + 2), numbers={2**62 + 2: "SI-18"})

    gap = compose(account(), reading, snapshot(known), DAY).gap

    assert gap is not None
    assert list(map(gap.display_number, gap.unread)) == ["7", "SI-17", "SI-18"]


def test_after_an_incomplete_day_no_known_order_is_new_again() -> None:
    first = compose(
        account(), Incomplete(NOON, (order(2),), "why", unread=(1,)), snapshot(order(1)), DAY
    )

    result = compose(
        account(), Complete(NOON, (order(1), order(2))), first.snapshot, date(2026, 11, 23)
    )

    assert result.new == ()
    assert ids(result.waiting) == [1, 2]


def test_an_order_that_comes_back_is_new_again() -> None:
    away = compose(
        account(), Complete(NOON, (), departed={1: Departure.WITHDRAWN}), snapshot(order(1)), DAY
    )

    again = compose(account(), Complete(NOON, (order(1),)), away.snapshot, date(2026, 11, 23))

    assert ids(again.new) == [1]


def test_a_complete_reading_without_a_known_order_makes_an_incomplete_digest() -> None:
    result = compose(account(), Complete(NOON, ()), snapshot(order(1)), DAY)

    assert ids(result.waiting) == [1]
    assert result.gap is not None
    assert not result.is_empty


def test_totals_are_per_currency() -> None:
    euro = order(1, cod=Money(Decimal(5), "EUR"))
    crowns = order(2, items=(Item("Rug", 2, price=Money(Decimal(100), "CZK")),), currency="CZK")

    result = digest(euro, crowns)

    assert result.value == (Money(Decimal(200), "CZK"), Money(Decimal("19.90"), "EUR"))
    assert result.cod == (Money(Decimal(5), "EUR"),)


def test_each_waiting_order_is_in_one_age_group() -> None:
    before = snapshot(
        *(order(n) for n in range(1, 5)),
        o1=date(2026, 11, 1),
        o2=date(2026, 11, 12),
        o3=date(2026, 11, 17),
        o4=date(2026, 11, 20),
    )

    result = digest(*(order(n) for n in range(1, 6)), previous=before)

    assert result.ages == (1, 1, 1, 1, 1)


def test_a_day_without_anything_is_empty_and_an_incomplete_one_is_not() -> None:
    assert digest().is_empty
    assert not compose(account(), Incomplete(NOON, (), "why"), snapshot(), DAY).is_empty


sets = st.sets(st.integers(1, 12))


@given(days=st.lists(st.tuples(sets, sets), min_size=1, max_size=8))
def test_over_any_history_every_parcel_is_new_once_and_gone_once(
    days: list[tuple[set[int], set[int]]],
) -> None:
    """Each day some orders wait; of those, some cannot be read."""
    previous = None
    reported: set[int] = set()
    for number, (wait, hidden) in enumerate(days):
        result = _day(number, wait, hidden, previous)
        new, gone = set(ids(result.new)), set(ids(result.collected))
        if previous is not None:
            assert not new & reported
        assert gone <= reported - wait
        reported = (reported | new | set(ids(result.waiting))) - gone
        assert set(ids(result.present)) == reported
        previous = result.snapshot


def _day(number: int, wait: set[int], hidden: set[int], previous: object) -> Digest:
    known = set(previous.known) if previous else set()  # type: ignore[attr-defined] # Snapshot
    readable = tuple(order(id_) for id_ in sorted(wait - hidden))
    departed = dict.fromkeys(known - wait - hidden, Departure.RETURNED)
    unread = tuple(sorted((wait | known) & hidden))
    reading: Complete | Incomplete = Complete(NOON, readable, departed)
    if unread:
        reading = Incomplete(NOON, readable, "why", unread, departed)
    return compose(account(), reading, previous, date(2026, 11, 1 + number))  # type: ignore[arg-type]
