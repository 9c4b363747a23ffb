"""Settings of all tests."""

from __future__ import annotations

import faulthandler
import gc
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

pytest_plugins = ("tests.canary_watch",)

MOST_SECONDS_OF_A_TEARDOWN = 60

# A busy machine must not fail a test: no deadline for an example. The phase "explain" traces every
# line of a failing example; that can exceed the time limit of a test and so hide the example.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile("notifier", deadline=None, phases=PHASES)
settings.load_profile("notifier")


@pytest.hookimpl(specname="pytest_runtest_teardown", wrapper=True, tryfirst=True)
def limit_teardown() -> Iterator[None]:
    """End the process when a teardown hangs.

    pytest-timeout limits a test until it fails. A task that ignores its cancellation, or a thread
    that never ends, would then stop the event loop from closing, and the whole suite with it.
    """
    faulthandler.dump_traceback_later(MOST_SECONDS_OF_A_TEARDOWN, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect garbage after each module, so that a resource left open fails the right module."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
