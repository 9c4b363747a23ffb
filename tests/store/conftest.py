"""Every promise of the store is held on SQLite and on PostgreSQL.

PostgreSQL is the server whose URL is in `NOTIFIER_TEST_POSTGRES`, or else a cluster that is thrown
away. Each test has a schema of its own in it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, delete, text

from notifier.domain.settings import StoreLocation
from notifier.store import Store, open_store, opening
from notifier.store.tables import metadata
from tests.neighbours import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Engine]:
    """A PostgreSQL server, as somebody who may make schemas."""
    if url := os.environ.get("NOTIFIER_TEST_POSTGRES"):
        with _administered(url) as engine:
            yield engine
        return
    if why := postgres.missing():
        pytest.skip(f"{why}; or name a server in NOTIFIER_TEST_POSTGRES")
    with postgres.running_cluster() as url, _administered(url) as engine:
        yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreLocation]:
    """Where a store of either kind may be; there is none yet."""
    if request.param == "sqlite":
        yield StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")
        return
    with _schema(request.getfixturevalue("server")) as url:
        yield StoreLocation(url)


@pytest.fixture
def in_postgresql(server: Engine) -> Iterator[StoreLocation]:
    """Where a store in PostgreSQL may be; there is none yet."""
    with _schema(server) as url:
        yield StoreLocation(url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a SQLite store may be."""
    return tmp_path / "notifier.db"


@pytest.fixture(scope="session")
def tables(server: Engine) -> Iterator[Engine]:
    """A store in PostgreSQL that many tests use, one after the other."""
    with _schema(server) as url:
        opening.open_for_writing(opening.Target(url, "the store of the tests", None)).dispose()
        with _administered(url) as engine:
            yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, file: Path) -> AsyncIterator[Store]:
    """An empty store of either kind."""
    url = f"sqlite:///{file}"
    if request.param == "postgresql":
        url = _swept(request.getfixturevalue("tables"))
    async with open_store(StoreLocation(url)) as opened:
        yield opened


def _swept(engine: Engine) -> str:
    with engine.connect() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def _administered(url: str) -> Iterator[Engine]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@contextmanager
def _schema(server: Engine) -> Iterator[str]:
    name = f"notifier_{uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    url = server.url.update_query_dict({"options": f"-csearch_path={name}"})
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
