"""The first page anybody reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from notifier.cli import COMMANDS

HEAVY = ("asyncio", "pydantic", "sqlalchemy", "httpx", "jinja2", "rich", "babel", "logging")


def notifier(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "notifier", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command_and_the_first_steps() -> None:
    page = notifier("--help")

    assert page.returncode == 0
    assert [name for name in COMMANDS if f"  {name} " not in page.stdout] == []
    assert "notifier demo" in page.stdout


def test_help_imports_nothing_that_takes_its_time() -> None:
    program = (
        "import sys, notifier.cli as c;"
        "c.cli.main(['--help'], standalone_mode=False);"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    page = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert page.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_of_its_own(name: str) -> None:
    page = notifier(name, "--help")

    assert page.returncode == 0
    assert page.stdout.startswith(f"Usage: notifier {name}")


def test_a_command_that_is_none_is_the_command_lines_fault() -> None:
    page = notifier("sned-test")

    assert page.returncode == 2
    assert "No such command" in page.stderr


def test_the_version_is_told_both_ways() -> None:
    assert notifier("version").stdout.split()[:2] == notifier("--version").stdout.split()[:2]
