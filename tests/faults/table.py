"""Try every promise about reading and delivery, and write docs/reliability.md by what was counted.

    python -m tests.faults.table
    python -m tests.faults.table --only races --only soak

All of it takes three quarters of an hour; a row that is not tried keeps what was counted last.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
HEAD = "| promises | command | what it does | what was counted |\n|---|---|---|---|\n"
_TABLE = re.compile(re.escape(HEAD) + r"(\|.*\|\n)+")
_TELLING = re.compile(r"\blost \d|\bstood\b|\bFELL\b|\bpassed\b|\bmessages/s|\bratio\b")
NOT_COUNTED = "not counted yet"


@dataclass(frozen=True, slots=True)
class Trial:
    """A command that tries promises, told by their names, and prints what it counted."""

    promises: str
    command: str
    what: str

    def count(self) -> str:
        """Run it; gives the lines that tell."""
        words = [sys.executable, *self.command.split()[1:]]
        if self.command.startswith("pytest"):
            words = [sys.executable, "-m", *self.command.split(), "-q"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        told = [" ".join(line.split()) for line in done.stdout.splitlines()]
        telling = [re.sub(r" in [\d.]+s.*", "", line) for line in told if _TELLING.search(line)]
        broken = "" if done.returncode == 0 else f"**exit code {done.returncode}**; "
        return broken + ("; ".join(telling) or NOT_COUNTED)

    def row(self, counted: str) -> str:
        """Its row of the table."""
        return f"| {self.promises} | `{self.command}` | {self.what} | {counted} |\n"


SOAK = "python -m tests.faults.soak --days 365 --seed"
TRIALS = (
    Trial(
        "no loss, no copy outside the window",
        "python -m tests.faults.kill --all --every 12",
        "kills a run by strace at every 12th pwrite64, fdatasync, sendto, recvfrom, connect, and "
        "starts it again twice; without `--every` at each",
    ),
    Trial(
        "the same",
        "python -m tests.faults.kill_at_moments",
        "kills a run at each of 18 named moments, found in its trace, and before, in and after "
        "each commit; and a store's first run at each call that changes something until the store "
        "is made",
    ),
    Trial(
        "a full or broken disk, no network",
        "python -m tests.faults.errors --every 12",
        "lets these calls fail with EIO, ENOSPC, ECONNREFUSED, ETIMEDOUT, once or from then on",
    ),
    Trial(
        "any number of processes, one mail",
        "python -m tests.faults.races --rounds 25",
        "six runs at the same moment on one store, on SQLite and PostgreSQL",
    ),
    Trial(
        "a year of failures",
        f"{SOAK} 7",
        "a marketplace that is down, refusals, connections cut before and after the dot, runs that "
        "end half-way",
    ),
    Trial("never twice with hold", f"{SOAK} 8 --on-unknown hold", "the same with `hold`"),
    Trial(
        "greylisting, full queue disk, SIZE",
        "pytest tests/faults/test_postfix.py",
        "a real Postfix as the relay",
    ),
    Trial(
        "clock changes, jumps, days switched off",
        "pytest tests/faults/test_faketime.py",
        "processes with a changed clock, in three time zones",
    ),
    Trial(
        "no secret and no buyer in any log or file",
        "pytest tests/faults/test_canaries.py",
        "days of failures with marked secrets and buyers",
    ),
    Trial(
        "no order is silently missed, however the list moves",
        "python -m tests.faults.moving --histories 3000",
        "orders leave and enter the list between two of its pages; compared with reading each page "
        "once",
    ),
    Trial(
        "a failure is never shown as an empty list",
        "python -m tests.faults.cuts",
        "cuts the marketplace's answer after every byte, by FIN and by RST",
    ),
    Trial(
        "one wrong answer or field costs only itself, and is reported",
        "pytest tests/faults/test_marketplace_answers.py tests/faults/test_marketplace_fields.py",
        "wrong statuses, bodies, headers and redirects in place of each call; strange values in "
        "each field of a row and a detail",
    ),
    Trial(
        "no foreign input crashes a parser",
        "python -m tests.fuzz --seconds 60",
        "fuzzes the parsers of answers, posts, headers, configuration and files, by coverage",
    ),
    Trial(
        "the cost of all this",
        "python benchmarks/delivery.py",
        "1,000 messages of 20 KB, compared with a loop of smtplib that records nothing",
    ),
)


def counted_before(page: str) -> dict[str, str]:
    """What the page says of each command."""
    found = _TABLE.search(page)
    rows = found.group().splitlines()[2:] if found else []
    cells = (re.split(r"(?<!\\)\|", row) for row in rows)
    return {one[2].strip().strip("`"): one[4].strip() for one in cells}


def write(counted: dict[str, str]) -> None:
    """Put the table into the page."""
    rows = "".join(one.row(counted.get(one.command, NOT_COUNTED)) for one in TRIALS)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: HEAD + rows, page), encoding="utf-8")


def main() -> int:
    """The command; 1 when a promise was broken or not counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="WORD", help="commands with it; repeat")
    words = parser.parse_args().only or [""]
    counted = counted_before(PAGE.read_text(encoding="utf-8"))
    good = True
    for trial in TRIALS:
        if any(word in trial.command for word in words):
            counted[trial.command] = result = trial.count()
            print(f"{trial.command}: {result}", flush=True)
            good = good and result != NOT_COUNTED and "exit code" not in result
            write(counted)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
