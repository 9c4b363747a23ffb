"""Have a time confirmed that follows badly on the last one, before anything is done by it."""

from __future__ import annotations

from datetime import datetime

from notifier.domain.clock import ClockTrust, compare_clocks, judge_clock
from notifier.domain.reading import Source
from notifier.errors import ClockUnconfirmed
from notifier.services.context import Context

LAST_TICK = "last_tick"
"""The mark of the last time that was believed."""


async def confirm_clock(context: Context, source: Source) -> None:
    """Believe the time and remember it, or raise ClockRefused or ClockUnconfirmed."""
    now, told = context.clock(), await context.store.meta.get(LAST_TICK)
    last = datetime.fromisoformat(told) if told else None
    trust = judge_clock(now, last)
    if trust is not ClockTrust.TRUSTED:
        async with context.stop.limit():
            confirmed = await source.ask_time()
        compare_clocks(now, confirmed)
        if confirmed is None and trust is ClockTrust.MUST_CONFIRM:
            raise ClockUnconfirmed(
                f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, the last time "
                f"{last:%Y-%m-%d %H:%M}, and neither the marketplace nor a fresh file of "
                "orders confirms it; nothing is done until one does"
            )
    await context.store.meta.set(LAST_TICK, now.isoformat())
