"""What holds for all tests."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

pytest_plugins = ("tests.canary_watch",)

# A busy machine is no mistake of the code.
settings.register_profile("notifier", deadline=None)
settings.load_profile("notifier")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Find what a module left open there, and not in whichever test the collector runs next."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
