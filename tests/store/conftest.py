"""Stores in SQLite and in PostgreSQL, since both must keep every promise.

The PostgreSQL server is the one in `NOTIFIER_TEST_POSTGRES`, a URL, or else a temporary cluster.
Each test has its own schema there.
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
    """Yield a connection to a PostgreSQL server as a user that may create schemas."""
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
    """Yield the location of a store of either kind, which does not exist yet."""
    if request.param == "sqlite":
        yield StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")
        return
    with _schema(request.getfixturevalue("server")) as url:
        yield StoreLocation(url)


@pytest.fixture
def in_postgresql(server: Engine) -> Iterator[StoreLocation]:
    """Yield the location of a store in PostgreSQL, which does not exist yet."""
    with _schema(server) as url:
        yield StoreLocation(url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a SQLite store, which does not exist yet."""
    return tmp_path / "notifier.db"


@pytest.fixture(scope="session")
def tables(server: Engine) -> Iterator[Engine]:
    """Yield a store in PostgreSQL that many tests use, one after the other."""
    # Creating the tables for each test would take longer than the test.
    with _schema(server) as url:
        opening.open_for_writing(opening.Target(url, "the store of the tests", None)).dispose()
        with _administered(url) as engine:
            yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, file: Path) -> AsyncIterator[Store]:
    """Yield an empty store of either kind."""
    url = f"sqlite:///{file}"
    if request.param == "postgresql":
        url = _swept(request.getfixturevalue("tables"))
    async with open_store(StoreLocation(url)) as opened:
        yield opened


def _swept(engine: Engine) -> str:
    # In reverse, since a row may be deleted only after those that refer to it.
    with engine.connect() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def _administered(url: str) -> Iterator[Engine]:
    # Without transactions, so that no lock of an open one makes a test wait.
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
