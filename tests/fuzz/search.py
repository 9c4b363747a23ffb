"""Fuzz one target with atheris until it fails or the time is over, in a separate process.

python -m tests.fuzz.search TARGET FOLDER [libFuzzer's options]
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the search; libFuzzer ends the process."""
    import atheris  # noqa: PLC0415 - an optional package

    with atheris.instrument_imports(include=["notifier"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - the import must be instrumented

    name, folder, *options = sys.argv[1:]
    corpus = Path(folder)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], str(corpus), *options], TARGETS[name].one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
