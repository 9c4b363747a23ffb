"""Settings of all tests."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

pytest_plugins = ("tests.canary_watch",)

# A busy machine must not fail a test: no deadline for an example.
settings.register_profile("notifier", deadline=None)
settings.load_profile("notifier")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect garbage after each module, so that a resource left open fails the right module."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
