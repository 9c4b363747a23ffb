"""Every promise of the store is held on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from notifier.parts import StoreLocation
from notifier.store import Store, open_store
from tests.neighbours import postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.running_cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> StoreLocation:
    """An empty store of either kind."""
    if request.param == "sqlite":
        return StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")
    cluster: str = request.getfixturevalue("cluster")
    name = f"notifier_{uuid4().hex}"
    admin = create_engine(cluster, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return StoreLocation(make_url(cluster).set(database=name).render_as_string())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a SQLite store may be."""
    return tmp_path / "notifier.db"


@pytest.fixture
async def store(location: StoreLocation) -> AsyncIterator[Store]:
    async with open_store(location) as opened:
        yield opened
