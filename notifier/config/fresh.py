"""A new config.toml: its text, and putting it where it belongs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from notifier.config.layers import Layer, Tree, dotted
from notifier.config.lines import Where
from notifier.config.options import options
from notifier.config.toml import toml

_HEAD = """\
# `notifier check` finds every mistake in this file, and says who gets what, and when.
# There are more options than these: see config.example.toml, or docs/configuration.md.
"""


def fresh(tree: Tree) -> str:
    """The text of a file that says what `tree` does, each option below its sentence."""
    layer = Layer(tree, {})
    lines = [_HEAD]
    table: Where = ()
    for where, option in options(layer.keys):
        if (value := layer.find(where)) is None:
            continue
        if where[:-1] != table:
            table = where[:-1]
            lines += ["", f"[{dotted(table)}]"]
        lines += [f"# {option.description}", f"{where[-1]} = {toml(value)}"]
    return "\n".join(lines) + "\n"


def write_private(file: Path, text: str, *, replace: bool) -> None:
    """Write a file that its owner alone may read, whole or not at all.

    Raises FileExistsError where there is one and it is not to be replaced; OSError where the
    directory is not there or may not be written.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(descriptor)
        if not replace:  # the name is taken first, so that nobody's file is overwritten
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
