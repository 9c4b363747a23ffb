"""Libraries that take their time to load are loaded where they are used, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

ATTACHMENTS = ("reportlab", "xlsxwriter")
WEB = ("starlette", "uvicorn")


def loaded_by(program: str) -> set[str]:
    """Which of these libraries a program has loaded at its end."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {*ATTACHMENTS, *WEB} & set(told.stdout.split())


def test_a_run_in_which_nothing_is_due_loads_neither_web_server_nor_attachments() -> None:
    program = "import notifier.cli.commands.run, notifier.cli.build_context, notifier.services.tick"
    assert loaded_by(program) == set()


SERVERS = """
import asyncio
from types import SimpleNamespace
from notifier.cli.commands.daemon import open_servers

async def open_and_close():
    settings = SimpleNamespace(accounts={{}}, health_listen={health!r}, webhook_listen=None)
    context = SimpleNamespace(settings=settings, store=None, clock=None)
    async with open_servers(context, None):
        pass

asyncio.run(open_and_close())
"""


@pytest.mark.parametrize(("health", "loaded"), [(None, set()), ("127.0.0.1:0", set(WEB))])
def test_a_daemon_loads_the_web_server_only_for_a_socket(
    health: str | None, loaded: set[str]
) -> None:
    assert loaded_by(SERVERS.format(health=health)) == loaded
