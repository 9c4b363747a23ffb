"""The systemd units are valid, hardened and consistent with the program."""

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
"""The longest time that the program takes to stop."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="NOT CHECKED: the units; systemd-analyze is not installed (Debian: systemd)",
)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder of the units with an existing program: systemd reports a missing one."""
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
    """Return all values of a key in a unit."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def seconds(text: str) -> int:
    units = {"": 1, "s": 1, "min": 60}
    found = re.fullmatch(r"(\d+)(s|min|)", text)
    assert found, text
    return int(found[1]) * units[found[2]]


@needs_systemd
def test_systemd_accepts_every_line_without_a_warning(installed: Path) -> None:
    result = analyze(installed, "verify", *(f"./{name}" for name in UNITS))

    # For a misspelt key systemd-analyze only prints a warning and exits with 0.
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


@needs_systemd
def test_a_misspelt_key_is_reported(installed: Path) -> None:
    unit = installed / "notifier.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))

    assert "ProtectSytem" in analyze(installed, "verify", "./notifier.service").stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_of_a_service_is_low(installed: Path, name: str) -> None:
    threshold = f"--threshold={MOST_EXPOSURE * 10:.0f}"

    result = analyze(installed, "security", "--offline=true", threshold, f"./{name}")

    assert result.returncode == 0, result.stdout


def test_the_timer_is_monotonic() -> None:
    text = (FOLDER / "notifier.timer").read_text(encoding="utf-8")

    assert "OnCalendar" not in text
    assert values("notifier.timer", "OnUnitInactiveSec") == ["10min"]


def test_the_units_use_the_programs_exit_codes() -> None:
    assert values("notifier.service", "SuccessExitStatus") == [str(ExitCode.TRY_LATER.value)]
    assert values("notifier-daemon.service", "RestartPreventExitStatus") == [
        f"{ExitCode.REFUSED.value} {ExitCode.CONFIG.value}"
    ]


@pytest.mark.parametrize("name", ["notifier.service", "notifier-daemon.service"])
def test_the_stop_timeout_is_longer_than_the_program_takes_to_stop(name: str) -> None:
    (stop,) = values(name, "TimeoutStopSec")

    assert seconds(stop) > GRACE_SECONDS


@pytest.mark.parametrize("name", ["notifier.service", "notifier-daemon.service"])
def test_the_commands_exist_and_a_failure_starts_the_alarm_unit(name: str) -> None:
    (line,) = values(name, "ExecStart")

    assert line.startswith(f"{PROGRAM} --config /etc/notifier/config.toml ")
    assert line.split()[-1] in COMMANDS
    assert values(name, "OnFailure") == ["notifier-alarm@%n.service"]


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_is_documented(name: str) -> None:
    assert name in (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")
