"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ("tests.canary_watch",)

# A busy machine is no mistake of the code.
settings.register_profile("notifier", deadline=None)
settings.load_profile("notifier")
