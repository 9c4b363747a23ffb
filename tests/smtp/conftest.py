from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.neighbours.smtp import SmtpNeighbour


@pytest.fixture
async def server() -> AsyncIterator[SmtpNeighbour]:
    """Yield a mail server that accepts everything unless a test scripts a step."""
    async with SmtpNeighbour() as server:
        yield server
