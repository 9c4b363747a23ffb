"""The systemd units: understood without a word, hard to misuse, and true to the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from notifier.cli import COMMANDS
from notifier.errors import ExitCode

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir())
SERVICES = [name for name in UNITS if name.endswith(".service")]
PROGRAM = "/opt/notifier/bin/notifier"
MOST_EXPOSURE = 1.2
GRACE_SECONDS = 60
"""That the program may take to stop."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="NOT CHECKED: the units, since there is no systemd-analyze (Debian: systemd)",
)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program that is there, since one that is not would be complained of."""
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def values(name: str, key: str) -> list[str]:
    """What a unit says for a key, each time."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def seconds(text: str) -> int:
    units = {"": 1, "s": 1, "min": 60}
    found = re.fullmatch(r"(\d+)(s|min|)", text)
    assert found, text
    return int(found[1]) * units[found[2]]


@needs_systemd
def test_systemd_understands_every_line_without_a_word(installed: Path) -> None:
    result = analyze(installed, "verify", *(f"./{name}" for name in UNITS))

    # It only prints about a misspelt key, and is content.
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


@needs_systemd
def test_a_misspelt_key_would_be_noticed(installed: Path) -> None:
    unit = installed / "notifier.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))

    assert "ProtectSytem" in analyze(installed, "verify", "./notifier.service").stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_little_is_exposed_should_the_program_be_taken_over(installed: Path, name: str) -> None:
    threshold = f"--threshold={MOST_EXPOSURE * 10:.0f}"

    result = analyze(installed, "security", "--offline=true", threshold, f"./{name}")

    assert result.returncode == 0, result.stdout


def test_the_timer_knows_no_time_of_day() -> None:
    text = (FOLDER / "notifier.timer").read_text(encoding="utf-8")

    assert "OnCalendar" not in text
    assert values("notifier.timer", "OnUnitInactiveSec") == ["10min"]


def test_exit_codes_mean_what_the_program_means() -> None:
    assert values("notifier.service", "SuccessExitStatus") == [str(ExitCode.TRY_LATER.value)]
    assert values("notifier-daemon.service", "RestartPreventExitStatus") == [
        f"{ExitCode.REFUSED.value} {ExitCode.CONFIG.value}"
    ]


@pytest.mark.parametrize("name", ["notifier.service", "notifier-daemon.service"])
def test_systemd_waits_longer_for_the_end_than_it_takes(name: str) -> None:
    (stop,) = values(name, "TimeoutStopSec")

    assert seconds(stop) > GRACE_SECONDS


@pytest.mark.parametrize("name", ["notifier.service", "notifier-daemon.service"])
def test_the_commands_exist_and_a_failure_is_told(name: str) -> None:
    (line,) = values(name, "ExecStart")

    assert line.startswith(f"{PROGRAM} --config /etc/notifier/config.toml ")
    assert line.split()[-1] in COMMANDS
    assert values(name, "OnFailure") == ["notifier-alarm@%n.service"]


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_is_in_the_how_to(name: str) -> None:
    assert name in (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")
