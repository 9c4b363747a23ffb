"""`notifier simulator` offers what there is, and the documents tell of all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from notifier.cli.commands import simulator
from notifier.cli.context import Invocation
from notifier.simulator import SCENARIOS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def notifier_simulator(*arguments: str) -> Result:
    return CliRunner().invoke(simulator.command, arguments, obj=Invocation(None))


def test_the_list_names_every_scenario_and_says_what_it_is() -> None:
    output = notifier_simulator("--list").output

    assert [line.split()[0] for line in output.splitlines()] == list(SCENARIOS)
    assert all(scenario.about in output for scenario in SCENARIOS.values())


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_in_the_documents(name: str) -> None:
    assert f"\n| `{name}` | " in PAGE


def test_every_option_is_in_the_documents() -> None:
    options = [option for parameter in simulator.command.params for option in parameter.opts]

    assert len(options) > 10
    assert [option for option in options if f"`{option}" not in PAGE] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "sesaon"), 'unknown scenario "sesaon"; available: quiet_day'),
        (("--in-transit", "5"), "--in-transit works only with --scenario season"),
        (("--webhook-loss", "10"), "10.0 is not in the range 0<=x<=1"),
        (("--webhook", "there"), "is not an http or https URL"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_served(
    arguments: tuple[str, ...], said: str
) -> None:
    refused = notifier_simulator(*arguments)

    assert refused.exit_code == 2
    assert said in refused.output
