"""Engines: one set of pragmas for SQLite, and transactions that say at once that they write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

BUSY_SECONDS = 5.0
APPLICATION_ID = 0x52545200 + 0x6E  # "RTR" and an n; `file` shows it, and other programs differ


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for any other database, and for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def shown(url: str) -> str:
    """The store as a person knows it: a path, or a URL without its password."""
    file = sqlite_file(url)
    return str(file) if file else make_url(url).render_as_string(hide_password=True)


def writing_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine that may write."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, isolation_level="READ COMMITTED")
    engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
    _prepare(engine, read_only=False)
    return engine


def reading_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine that cannot write; a SQLite file must exist."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed, pool_pre_ping=True, execution_options={"postgresql_readonly": True}
        )
    file = sqlite_file(url)
    if file is not None:
        database = f"{file.resolve().as_uri()}?mode=ro"
        parsed = URL.create("sqlite", database=database, query={"uri": "true"})
    engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
    _prepare(engine, read_only=True)
    return engine


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction, committed unless something is raised.

    On SQLite one that may write must say so when it begins: one that read first and then wants
    to write can find itself refused half-way.
    """
    with engine.connect() as connection:
        connection.info["writes"] = writes
        with connection.begin():
            yield connection


def _prepare(engine: Engine, *, read_only: bool) -> None:
    """SQLAlchemy's way to leave transactions to us (its documentation of pysqlite)."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        pragmas = ["foreign_keys=ON"]
        if not read_only:
            pragmas += ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info["writes"] else "BEGIN")
