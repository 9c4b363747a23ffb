"""The last good configuration, kept beside the store for the day on which the file is broken.

The copy holds no secret that was written out in the file; those are read anew, from the single
lines of the broken file if need be. Nor does it hold what the environment said: that is asked
again.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from notifier.config.environment import from_environment
from notifier.config.file import LONGEST_LINE, read_small
from notifier.config.fresh import write_private
from notifier.config.layers import Layer, Tree, put
from notifier.config.lines import Where
from notifier.config.parts import store_file
from notifier.config.paths import STORE
from notifier.config.secrets import written_out

SUFFIX = ".last-good"
REFRESHED = timedelta(hours=1)
"""How old the time in the copy may become before the copy is written again."""

PING: Where = ("alarms", "ping_url")
"""Whoever knows it can speak for us."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copy:
    """What a configuration said when it was last good, and which of its secrets are left out."""

    file: str
    good_at: datetime
    tree: Tree = field(repr=False)
    left_out: tuple[Where, ...]


def keep(path: Path, written: Layer, *, environ: Mapping[str, str], good_at: datetime) -> None:
    """Write down that the file at `path` was good, beside the store and where it is looked for.

    It is a safety net: where it cannot be written, a warning says so, and that is all.
    """
    left_out = tuple(where for where in _secrets(written) if written.find(where) is not None)
    tree: Tree = json.loads(json.dumps(written.tree, default=_as_text))
    for where in left_out:
        _take_out(tree, where)
    copy = Copy(_name(path), good_at, tree, left_out)
    kept = [_keep_at(place, copy) for place in _places(path, written.find(STORE), environ)]
    if not any(kept):
        logger.warning(
            "%s: no copy can be kept for the day on which it is broken; the folder of the store "
            "cannot be written",
            path,
            extra={"event": "no_copy"},
        )


def recall(path: Path, *, environ: Mapping[str, str]) -> tuple[Layer, datetime] | None:
    """What the file at `path` said when it was last good, with its secrets, and when that was.

    None where nothing was kept, or a secret is in no line of the file any more.
    """
    lines = _single_lines(path)
    read = (_read(place) for place in _places(path, lines.get(STORE), environ))
    copies = [copy for copy in read if copy and copy.file == _name(path)]
    if not copies:
        return None
    copy = max(copies, key=lambda one: one.good_at)
    for where in copy.left_out:
        if where in lines:
            put(copy.tree, where, lines[where])
        elif where != PING:  # the mail is worth more than the monitor's
            return None
    return Layer(copy.tree, {}), copy.good_at


def _secrets(written: Layer) -> Iterator[Where]:
    yield from written_out(written)
    yield PING


def _places(path: Path, store: object, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Beside the store; and where it is by default, as a broken file may not say where it is."""
    folder = path.absolute().parent
    named = from_environment(environ, lambda _: ()).find(STORE) or store
    files = [store_file(None, folder, environ)]
    if isinstance(named, str):
        files.insert(0, store_file(named, folder, environ))
    return tuple(dict.fromkeys(file.parent / f"{path.name}{SUFFIX}" for file in files))


def _name(path: Path) -> str:
    return str(path.absolute())


def _keep_at(place: Path, copy: Copy) -> bool:
    before = _read(place)
    fresh = before is not None and abs(copy.good_at - before.good_at) < REFRESHED
    if before and fresh and replace(before, good_at=copy.good_at) == copy:
        return True
    try:
        write_private(place, _written(copy), replace=True)
    except OSError:
        return False
    return True


def _written(copy: Copy) -> str:
    fields = {
        "file": copy.file,
        "good_at": copy.good_at.isoformat(),
        "left_out": copy.left_out,
        "tree": copy.tree,
    }
    return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def _read(place: Path) -> Copy | None:
    """A copy; anything that is none is as good as nothing."""
    try:
        fields = json.loads(read_small(place).data)
        left_out = tuple(tuple(where) for where in fields["left_out"])
        good_at = datetime.fromisoformat(fields["good_at"])
        return Copy(fields["file"], good_at, fields["tree"], left_out)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _as_text(value: object) -> str:
    """TOML's own times are written as text, which the schema reads as well."""
    if isinstance(value, time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of the configuration")


def _take_out(tree: Tree, where: Where) -> None:
    *tables, key = where
    inner: Any = tree
    for table in tables:
        inner = inner[table]
    del inner[key]


def _single_lines(path: Path) -> dict[Where, Any]:
    """What the lines of a broken file say, each for itself; the first that speaks counts.

    A header that cannot be read hides all below it: a credential must not count for the wrong
    account.
    """
    try:
        text = read_small(path).data.decode("utf-8-sig", "replace")
    except ValueError:
        return {}
    said: dict[Where, Any] = {}
    table: Where | None = ()
    for line in text.splitlines():
        header = line.lstrip().startswith("[")
        read = _one_line(line)
        if header:
            table = next(_tables(read), None) if read else None
        elif table is not None:
            for where, value in _values(read or {}, table):
                said.setdefault(where, value)
    return said


def _one_line(line: str) -> Tree | None:
    if len(line) > LONGEST_LINE:
        return None
    try:
        return tomllib.loads(line)
    except (ValueError, RecursionError):
        return None


def _tables(tree: Tree, at: Where = ()) -> Iterator[Where]:
    """The innermost table of what a header says; none of `[[…]]`, which no option is."""
    for key, inner in tree.items():
        if isinstance(inner, dict):
            yield from _tables(inner, (*at, key))
    if not tree:
        yield at


def _values(tree: Tree, at: Where) -> Iterator[tuple[Where, Any]]:
    for key, value in tree.items():
        where = (*at, key)
        if isinstance(value, dict):
            yield from _values(value, where)
        else:
            yield where, value
