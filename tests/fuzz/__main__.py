"""Search every target for an input that makes it fail; needs the extra `fuzz`.

python -m tests.fuzz                          ten seconds per target, two minutes in all
python -m tests.fuzz --seed 1                 the same inputs in each search
python -m tests.fuzz --seconds 3600 payloads
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
LONGEST_INPUT = 4096
MEGABYTES = 1024


def search(name: str, seconds: int, seed: int, artifacts: Path) -> bool:
    """Fuzz one target, print the statistics, and return whether it passed."""
    with tempfile.TemporaryDirectory() as corpus:
        process = subprocess.run(
            [
                sys.executable,
                *("-m", "tests.fuzz.search", name, corpus),
                f"-max_total_time={seconds}",
                f"-seed={seed}",
                f"-max_len={LONGEST_INPUT}",
                f"-rss_limit_mb={MEGABYTES}",
                "-timeout=10",
                "-print_final_stats=1",
                f"-artifact_prefix={artifacts}/{name}-",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    runs = re.search(r"number_of_executed_units:\s*(\d+)", process.stderr)
    reached = re.findall(r"\bcov: (\d+)", process.stderr)
    passed = process.returncode == 0 and runs is not None
    statistics = (
        f"{runs[1] if runs else '0':>9} inputs, {reached[-1] if reached else '0':>5} places"
    )
    print(f"{name:16}{statistics}, {'passed' if passed else 'FAILED'}", flush=True)
    if not passed:
        print("\n".join(process.stderr.splitlines()[-25:]))
    return passed


def main() -> int:
    """Run the command; return exit code 1 when a target failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="of the search; 0 means random")
    parser.add_argument("--found", type=Path, default=Path(), help="folder for failing inputs")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    artifacts = arguments.found.absolute()
    passed = [
        search(name, arguments.seconds, arguments.seed, artifacts)
        for name in arguments.targets or TARGETS
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
