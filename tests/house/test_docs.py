"""The documentation agrees with the program."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from notifier.cli import COMMANDS, cli
from notifier.errors import ExitCode

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def command(name: str) -> click.Command:
    result = cli.get_command(click.Context(cli), name)
    assert result is not None
    return result


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_of_commands_uses_each_commands_own_short_help(name: str) -> None:
    assert command(name).get_short_help_str(limit=200) == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS)
    options = [
        option
        for param in command(name).params
        for option in param.opts
        if option.startswith("--") and option != "--help"
    ]

    assert f"`{name}" in text or f"notifier {name}" in text
    assert [option for option in options if option not in text] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_to_another_page_has_a_target(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_exit_code_is_documented() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert [code for code in ExitCode if f"| {code.value} |" not in text] == []


def test_constraints_pin_every_dependency_exactly_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]

    assert pins
    assert [
        pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!]+", pin)
    ] == []
