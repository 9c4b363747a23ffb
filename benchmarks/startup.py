"""How long `notifier --help` takes compared with importing click: medians of 20 alternating calls.

python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 20
NOTIFIER = str(Path(sys.executable).with_name("notifier"))


def seconds(*command: str) -> float:
    """Return the wall time of one call."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Measure alternately, so that other load on the machine affects both."""
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(seconds(sys.executable, "-c", "import click"))
        ours.append(seconds(NOTIFIER, "--help"))
    click_median, help_median = statistics.median(bare), statistics.median(ours)
    print(f"import click        {click_median * 1000:6.1f} ms")
    print(f"notifier --help     {help_median * 1000:6.1f} ms")
    print(f"ratio               {help_median / click_median:6.2f}   (wanted: at most 1.5)")


if __name__ == "__main__":
    main()
