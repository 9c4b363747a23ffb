"""Confirm the time before anything acts on it, if it is implausible after the last one."""

from __future__ import annotations

from notifier.domain.clock import ClockTrust, compare_clocks, judge_clock
from notifier.domain.reading import Source
from notifier.errors import ClockUnconfirmed
from notifier.services.context import Context

LAST_TICK = "last_tick"
"""Key of the last time that was trusted."""


async def confirm_clock(context: Context, source: Source) -> None:
    """Trust the current time and remember it, or raise ClockRefused or ClockUnconfirmed."""
    now, last = context.clock(), await context.store.meta.get_time(LAST_TICK)
    belief = judge_clock(now, last)
    if belief is not ClockTrust.TRUSTED:
        # Only now, since asking is a call of the seller's quota and every tick comes by here.
        async with context.stop.limit():
            confirmed = await source.ask_time()
        compare_clocks(now, confirmed)
        if confirmed is None and belief is ClockTrust.MUST_CONFIRM:
            raise ClockUnconfirmed(
                f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, the last time "
                f"{last:%Y-%m-%d %H:%M}, and neither the marketplace nor a fresh file of "
                "orders confirms it; nothing is done until one does"
            )
    # Last: a time that was refused must not be the one that the next is compared with.
    await context.store.meta.set_time(LAST_TICK, now)
