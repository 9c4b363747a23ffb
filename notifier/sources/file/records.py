"""The rows of a file, whatever it is written in: by the names of our columns, each for itself.

What is wrong with the file as a whole is raised; what is wrong with one row is that row's alone.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard

from notifier.domain.settings import FileAccess, FileFormat
from notifier.errors import FileRefused
from notifier.sources.file.fields import text as one_text

MOST_ROWS = 100_000
MOST_SHOWN = 8
"""Columns named in a message."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # which begins as the next one does
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `values` are by the names of our columns; several where JSON has a list."""

    place: str
    """Where it stands: "line 7", "record 3"."""
    values: Mapping[str, tuple[object, ...]]
    raw: str
    """The row as it is, to tell a repeated one by."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be read; `number` of its order where at least that is certain."""

    place: str
    why: str
    number: str | None = None


def records_in(data: bytes, access: FileAccess, name: str) -> Iterator[Record | Broken]:
    """Every row of the file; raises FileRefused, before the first or on the way."""
    _refuse_other_utf(data, access.encoding, name)
    text = _decoded(data, access.encoding, name)
    if not text.strip():
        raise FileRefused(
            f"{name} is empty, without even a header; see what has become of the export"
        )
    if _MARKUP.match(text):
        raise FileRefused(
            f"{name} is a web page or XML, and no list of orders; perhaps a login stands in front "
            "of it: open the address in a private window of your browser"
        )
    rows = _csv_rows if access.format is FileFormat.CSV else _json_rows
    for index, record in enumerate(rows(text, access, name)):
        if index == MOST_ROWS:
            raise FileRefused(
                f"{name} has more than {MOST_ROWS} rows; export only the orders that may wait"
            )
        yield record


def _refuse_other_utf(data: bytes, encoding: str, name: str) -> None:
    """Most encodings of Windows make letters of any bytes, those of UTF-16 too."""
    if "16" in encoding or "32" in encoding:
        return
    marked = next((utf for mark, utf in _MARKS if data.startswith(mark)), None)
    # Without a mark, every second byte of plain letters is none.
    every_second = data[1:100:2]
    guess = marked or ("utf-16-le" if every_second.count(0) > len(every_second) / 2 else None)
    if guess:
        raise FileRefused(
            f'{name} is not written in "{encoding}" (line 1); write encoding = "{guess}", or have '
            "it exported in UTF-8"
        )


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, at) + 1
        raise FileRefused(
            f'{name} is not written in "{encoding}" (line {line}); set encoding, perhaps to '
            '"cp1250", or have it exported in UTF-8'
        ) from None
    if not encoding.lower().startswith("utf") and not data.isascii() and _is_utf8(data):
        raise FileRefused(f'{name} is UTF-8, and not "{encoding}"; take the line encoding out')
    return text


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _csv_rows(text: str, access: FileAccess, name: str) -> Iterator[Record | Broken]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=access.delimiter, strict=True)
    header = _header(reader, name)
    places = _places(header, access, name)
    for line, cells in _lines(reader):
        if isinstance(cells, str):
            yield Broken(line, cells)
        elif any(cell.strip() for cell in cells):
            yield _record(line, cells, len(header), places)


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        rows = (row for row in reader if any(row))
        header = next(rows)
        if header[0] == "sep=":  # Excel's own line before the header
            header = next(rows)
    except (csv.Error, StopIteration):
        raise FileRefused(f"{name} has no header row that can be read; see the export") from None
    return [cell.strip() for cell in header]


def _places(header: Sequence[str], access: FileAccess, name: str) -> dict[str, int]:
    """The index of each of our columns; raises FileRefused that names all that are not there."""
    wanted = access.columns
    missing = [column for column in wanted.values() if column not in header]
    if missing:
        raise FileRefused(_missing(missing, header, access.delimiter, name))
    twice = sorted({column for column in wanted.values() if header.count(column) > 1})
    if twice:
        raise FileRefused(
            f"{name} has several columns called {_quoted(twice)}; give each its own name"
        )
    return {ours: header.index(theirs) for ours, theirs in wanted.items()}


def _missing(missing: Sequence[str], header: Sequence[str], delimiter: str, name: str) -> str:
    other = next((sign for sign in ";\t,|" if sign != delimiter and sign in header[0]), None)
    if len(header) == 1 and other:
        shown = "\\t" if other == "\t" else other
        return f'{name} is separated by "{shown}", it seems; write delimiter = "{shown}"'
    return (
        f"{name} has no column {_quoted(missing, _nearest(header))}, only {_quoted(header)}; "
        "compare columns in the configuration"
    )


def _nearest(header: Sequence[str]) -> Callable[[str], str]:
    folded = {column.casefold(): column for column in header}

    def hint(missing: str) -> str:
        close = difflib.get_close_matches(missing.casefold(), folded, n=1)
        return f' (did you mean "{folded[close[0]][:60]}"?)' if close else ""

    return hint


def _quoted(names: Sequence[str], hint: Callable[[str], str] = lambda _: "") -> str:
    shown = ", ".join(f'"{one[:60]}"{hint(one)}' for one in names[:MOST_SHOWN])
    return shown if len(names) <= MOST_SHOWN else f"{shown} and {len(names) - MOST_SHOWN} more"


def _lines(reader: Any) -> Iterator[tuple[str, list[str] | str]]:
    """Each row with the line it begins in; in place of one that is broken, why it is."""
    while True:
        place = f"line {reader.line_num + 1}"
        try:
            yield place, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield place, "its quotes are not closed as they should be"


def _record(place: str, cells: list[str], width: int, places: Mapping[str, int]) -> Record | Broken:
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        at = places["id"]
        # The last cell of a short row may be cut itself.
        number = one_text(cells[at]) if at < min(len(cells), width) - 1 else None
        return Broken(place, f"it has {len(cells)} cells, the header {width}", number)
    values = {ours: (cells[index],) for ours, index in places.items()}
    return Record(place, values, "\x1f".join(cells))


def _json_rows(text: str, access: FileAccess, name: str) -> Iterator[Record | Broken]:
    for index, row in enumerate(_list_in(text, access.records, name), start=1):
        place = f"record {index}"
        if isinstance(row, dict):
            values = {ours: _at(row, path) for ours, path in access.columns.items()}
            yield Record(place, values, _raw(row))
        else:
            yield Broken(place, "it is no object")


def _raw(row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, sort_keys=True, default=str)
    except RecursionError:
        return ""


def _list_in(text: str, path: str | None, name: str) -> list[object]:
    try:
        whole = json.loads(text, parse_float=_fraction)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise FileRefused(
            f"{name} is no whole JSON (it breaks off or goes wrong in line {line}); see whether "
            "the export writes it under another name first and then renames it"
        ) from None
    found = _inside(whole, path) if path else whole
    if isinstance(found, list):
        return found
    place = next(_lists_in(whole), None)
    advice = f'write records = "{place[:60]}"' if place else "say with records where it is"
    where = f'at "{path}"' if path else "by itself"
    raise FileRefused(f"{name} has no list of orders {where}; {advice}")


def _lists_in(value: object, depth: int = 3) -> Iterator[str]:
    """The dotted paths of lists, those that are nearest first."""
    if not _is(value) or not depth:
        return
    yield from (key for key, inner in value.items() if isinstance(inner, list))
    for key, inner in value.items():
        yield from (f"{key}.{path}" for path in _lists_in(inner, depth - 1))


def _is(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _fraction(written: str) -> Decimal | None:
    """Exact; None for what not even a Decimal can hold."""
    try:
        return Decimal(written)
    except InvalidOperation:
        return None


def _inside(value: object, path: str) -> object:
    """What stands at a dotted path of objects, None if there is nothing."""
    if not _is(value) or path in value:
        return value[path] if _is(value) else None
    key, _, rest = path.partition(".")
    return _inside(value.get(key), rest) if rest else None


def _at(value: object, path: str) -> tuple[object, ...]:
    """What stands at a dotted path; a list on the way gives one value for each of its elements.

    The end of the path is taken as it is, so that a list there stays one. None stands for what an
    element does not have, so that the values of several columns keep belonging together.
    """
    if isinstance(value, dict) and path in value:
        found = value[path]
        return tuple(found) if isinstance(found, list) and _are_values(found) else (found,)
    key, _, rest = path.partition(".")
    if isinstance(value, list):
        return tuple((_at(one, path) or (None,))[0] for one in value)
    if isinstance(value, dict) and rest and key in value:
        return _at(value[key], rest)
    return ()


def _are_values(found: list[object]) -> bool:
    return not any(isinstance(one, dict | list) for one in found)
