"""Files that are there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part-"
"""What comes after the name of a file that is not finished."""


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """A new, private file to fill; at the end it takes the place of `file`, on the disk."""
    part = file.with_name(f"{file.name}{PART}{secrets.token_hex(4)}")
    part.touch(mode=0o600, exist_ok=False)
    try:
        yield part
        _flush(part)
        part.replace(file)
        _flush(file.parent)
    finally:
        part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
