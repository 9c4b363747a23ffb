"""Search every target for an input that it falls over; the extra `fuzz` is needed.

python -m tests.fuzz                          ten seconds each, two minutes in all
python -m tests.fuzz --seed 1                 the same inputs each time, as far as it comes
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


def search(name: str, seconds: int, seed: int, found: Path) -> bool:
    """Whether the target stood; prints what was tried, and where the input is that it fell over."""
    with tempfile.TemporaryDirectory() as corpus:
        done = subprocess.run(
            [
                sys.executable,
                *("-m", "tests.fuzz.search", name, corpus),
                f"-max_total_time={seconds}",
                f"-seed={seed}",
                f"-max_len={LONGEST_INPUT}",
                f"-rss_limit_mb={MEGABYTES}",
                "-timeout=10",
                "-print_final_stats=1",
                f"-artifact_prefix={found}/{name}-",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    reached = re.findall(r"\bcov: (\d+)", done.stderr)
    stood = done.returncode == 0 and runs is not None
    told = f"{runs[1] if runs else '0':>9} inputs, {reached[-1] if reached else '0':>5} places"
    print(f"{name:16}{told}, {'stood' if stood else 'FELL'}", flush=True)
    if not stood:
        print("\n".join(done.stderr.splitlines()[-25:]))
    return stood


def main() -> int:
    """The command; 1 when a target fell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=10, help="for each")
    parser.add_argument("--seed", type=int, default=0, help="by default another one each time")
    parser.add_argument("--found", type=Path, default=Path(), help="where an input is left")
    chosen = parser.parse_args()
    unknown = set(chosen.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    found = chosen.found.absolute()
    stood = [search(name, chosen.seconds, chosen.seed, found) for name in chosen.targets or TARGETS]
    return 0 if all(stood) else 1


if __name__ == "__main__":
    sys.exit(main())
