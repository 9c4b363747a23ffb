from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.neighbours.smtp import SmtpNeighbour


@pytest.fixture
async def server() -> AsyncIterator[SmtpNeighbour]:
    """A mail server that takes everything until it is told otherwise."""
    async with SmtpNeighbour() as server:
        yield server
