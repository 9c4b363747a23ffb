"""A process that dies between two steps costs nobody the mail, and nobody gets two for it.

`python -m tests.faults.boundaries` does it every time a boundary is reached.
"""

from __future__ import annotations

from pathlib import Path

from notifier.boundaries import Boundary, boundary, listening
from notifier.domain.ledger import MessageState
from notifier.domain.settings import OnUnknown
from tests.acceptance.world import open_world
from tests.faults.boundaries import TRANSACTIONS, WINDOW, mortal

NEAR_THE_DOT = (Boundary.BODY, Boundary.MARKED, Boundary.ANSWERED, Boundary.SETTLED)
OF_MANY = {Boundary.COMMITTING: (1, 5, 9, 13), Boundary.COMMITTED: (2, 6, 10, 14)}


async def test_every_boundary_is_reached_by_a_run(tmp_path: Path) -> None:
    reached: list[Boundary] = []
    async with open_world(tmp_path) as world:
        with listening(reached.append):
            await world.run("2026-11-21")

    steps = [one for one in reached if one not in TRANSACTIONS]
    assert list(dict.fromkeys(steps)) == [one for one in Boundary if one not in TRANSACTIONS]
    assert set(reached) == set(Boundary)


def test_who_listens_no_more_hears_nothing() -> None:
    heard: list[Boundary] = []

    with listening(heard.append):
        boundary(Boundary.BEGUN)
    boundary(Boundary.READ)

    assert heard == [Boundary.BEGUN]


async def test_wherever_it_dies_everybody_has_the_mail(tmp_path: Path) -> None:
    async with mortal(tmp_path, OnUnknown.RESEND) as it:
        for at in Boundary:
            for nth in OF_MANY.get(at, (1,)):
                assert await it.die(at, nth), f"{at} was not reached {nth} times"

        # One of the commits records the answer to a dot, so that it is in the window as well.
        most = len(WINDOW) + len(OF_MANY[Boundary.COMMITTING])
        assert len(WINDOW) <= await it.check() <= most


async def test_with_hold_nobody_has_it_twice_wherever_it_dies_near_the_dot(tmp_path: Path) -> None:
    async with mortal(tmp_path, OnUnknown.HOLD) as it:
        for at in NEAR_THE_DOT:
            assert await it.die(at)

        await it.check()
        held = [one for one in await it.world.outbox() if one.state is MessageState.HELD]
        assert len(held) == len({Boundary.MARKED, Boundary.ANSWERED})
