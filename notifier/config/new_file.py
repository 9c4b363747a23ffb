"""The text of a new config.toml, as `notifier init` writes it."""

from __future__ import annotations

from notifier.config.layers import Layer, Tree
from notifier.config.options import options
from notifier.config.toml import Where, dotted, toml

_HEAD = """\
# `notifier check` finds every mistake in this file, and says who gets what, and when.
# There are more options than these: see config.example.toml, or docs/configuration.md.
"""


def config_text(tree: Tree) -> str:
    """Write the values of `tree` as TOML, each option below its description."""
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
