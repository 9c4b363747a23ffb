"""When a message is tried again."""

from __future__ import annotations

from datetime import timedelta

from notifier.domain.schedule import next_reading, next_try
from tests.factories import NOON


def test_pauses_grow_from_five_minutes_to_an_hour_and_stay_there() -> None:
    pauses = [(next_try(attempts, NOON) - NOON) // timedelta(minutes=1) for attempts in range(1, 8)]

    assert pauses == [5, 10, 20, 40, 60, 60, 60]


def test_a_list_is_read_again_ever_more_seldom() -> None:
    tries, at = 0, NOON
    while at < NOON + timedelta(hours=12):
        at, tries = next_reading(NOON, at), tries + 1

    assert tries == 19
    assert next_reading(NOON, NOON - timedelta(hours=9)) == NOON + timedelta(hours=-9, minutes=5)
    assert next_reading(NOON, at) == at + timedelta(hours=1)
