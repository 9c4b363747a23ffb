"""Turn the bytes of a CSV or JSON file into records with the values of our columns.

A fault of the whole file is raised; a fault of one row makes that row a `BrokenRow`.
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
from notifier.sources.values import text as one_text

# They take about ten seconds and 250 MB; a run has to stay below 256 MB.
MOST_ROWS = 100_000
MOST_SHOWN = 8
"""Columns named in a message."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # starts with the mark of UTF-16, so it comes first
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Many servers answer a missing login with a web page and status 200.
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """One row."""

    place: str
    """Its place in the file: "line 7", "record 3"."""
    values: Mapping[str, tuple[object, ...]]
    """Values by our column; several from a JSON list."""
    raw: str
    """The whole row, to recognise an exact repetition."""

    def first(self, ours: str) -> object:
        """Return the first value of our column, or None."""
        return next(iter(self.values.get(ours, ())), None)


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be read; `number` is its order's number, if that is certain."""

    place: str
    why: str
    number: str | None = None

    def __str__(self) -> str:
        order = f", order {self.number[:60]}" if self.number else ""
        return f"{self.place}{order} ({self.why})"


def parse_records(data: bytes, access: FileAccess, name: str) -> Iterator[Record | BrokenRow]:
    """Yield every row; raises FileRefused, at once or after some rows."""
    text = _decode(data, access.encoding, name)
    if not text.strip():
        raise FileRefused(f"{name} is empty, without even a header; check the export")
    if _MARKUP.match(text):
        raise FileRefused(
            f"{name} is a web page or XML, not a list of orders; the address may require a login: "
            "open it in a private window of your browser"
        )
    parse = _csv_rows if access.format is FileFormat.CSV else _json_rows
    for index, record in enumerate(parse(text, access, name)):
        if index == MOST_ROWS:
            raise FileRefused(
                f"{name} has more than {MOST_ROWS} rows; export only the orders that may wait"
            )
        yield record


def _decode(data: bytes, encoding: str, name: str) -> str:
    is_utf = encoding.lower().startswith("utf")
    # First, because Windows encodings decode UTF-16 without an error as well.
    if "16" not in encoding and "32" not in encoding and (guess := _wide_encoding(data)):
        raise FileRefused(
            f'{name} is not written in "{encoding}" (line 1); write encoding = "{guess}", or have '
            "it exported in UTF-8"
        )
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, at) + 1
        raise FileRefused(
            f'{name} is not written in "{encoding}" (line {line}); set encoding, perhaps to '
            '"cp1250", or have it exported in UTF-8'
        ) from None
    # Windows encodings decode nearly every UTF-8 file without an error, into wrong letters.
    if not is_utf and not data.isascii() and _is_utf8(data):
        raise FileRefused(f'{name} is UTF-8, not "{encoding}"; remove the line encoding')
    return text


def _wide_encoding(data: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 encoding of `data`; Windows encodings decode those bytes too."""
    marked = next((utf for mark, utf in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    # In UTF-16 without a mark, every second byte of Latin letters is 0.
    every_second = data[1:100:2]
    is_wide = every_second.count(0) > len(every_second) / 2
    return marked or ("utf-16-le" if is_wide else None)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _csv_rows(text: str, access: FileAccess, name: str) -> Iterator[Record | BrokenRow]:
    # `newline=""` keeps line breaks in cells. Without `strict`, an unclosed quote would silently
    # swallow all rows behind it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=access.delimiter, strict=True)
    header = _header(reader, name)
    indexes = _indexes(header, access, name)
    while True:
        # Before reading: a row with line breaks in its cells ends on a later line.
        place = f"line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield BrokenRow(place, "its quotes are not closed correctly")
        else:
            if any(cell.strip() for cell in cells):
                yield _csv_record(place, cells, len(header), indexes)


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        rows = (row for row in reader if any(row))
        header = next(rows)
        if header[0] == "sep=":  # Excel writes this line before the header.
            header = next(rows)
    except (csv.Error, StopIteration):
        raise FileRefused(f"{name} has no readable header row; check the export") from None
    return [cell.strip() for cell in header]


def _indexes(header: Sequence[str], access: FileAccess, name: str) -> dict[str, int]:
    """Return the index of each of our columns; raises FileRefused that names all missing ones."""
    columns = access.columns
    missing = [column for column in columns.values() if column not in header]
    if missing:
        raise FileRefused(_missing(missing, header, access.delimiter, name))
    repeated = sorted({column for column in columns.values() if header.count(column) > 1})
    if repeated:
        raise FileRefused(
            f"{name} has several columns called {_quoted(repeated)}; give each its own name"
        )
    return {ours: header.index(theirs) for ours, theirs in columns.items()}


def _missing(missing: Sequence[str], header: Sequence[str], delimiter: str, name: str) -> str:
    # With the wrong delimiter the whole header is one cell. That hint helps more than missing
    # columns.
    other = next((sign for sign in ";\t,|" if sign != delimiter and sign in header[0]), None)
    if len(header) == 1 and other:
        shown = "\\t" if other == "\t" else other
        return f'{name} seems to be separated by "{shown}"; write delimiter = "{shown}"'
    folded = {column.casefold(): column for column in header}

    def hint(column: str) -> str:
        close = difflib.get_close_matches(column.casefold(), folded, n=1)
        return f' (did you mean "{folded[close[0]][:60]}"?)' if close else ""

    return (
        f"{name} has no column {_quoted(missing, hint)}, only {_quoted(header)}; "
        "compare columns in the configuration"
    )


def _quoted(names: Sequence[str], hint: Callable[[str], str] = lambda _: "") -> str:
    shown = ", ".join(f'"{name[:60]}"{hint(name)}' for name in names[:MOST_SHOWN])
    return shown if len(names) <= MOST_SHOWN else f"{shown} and {len(names) - MOST_SHOWN} more"


def _csv_record(
    place: str, cells: list[str], width: int, indexes: Mapping[str, int]
) -> Record | BrokenRow:
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        at = indexes["id"]
        # The last cell of a short row may itself be cut, and a cut number is another order's.
        number = one_text(cells[at]) if at < min(len(cells), width) - 1 else None
        return BrokenRow(place, f"it has {len(cells)} cells, the header {width}", number)
    values = {ours: (cells[index],) for ours, index in indexes.items()}
    return Record(place, values, "\x1f".join(cells))


def _json_rows(text: str, access: FileAccess, name: str) -> Iterator[Record | BrokenRow]:
    for index, row in enumerate(_json_list(text, access.records, name), start=1):
        place = f"record {index}"
        if isinstance(row, dict):
            values = {ours: _values_at(row, path) for ours, path in access.columns.items()}
            yield Record(place, values, _raw(row))
        else:
            yield BrokenRow(place, "it is not an object")


def _raw(row: dict[str, Any]) -> str:
    try:
        # Sorted, because the order of the keys does not make two rows different.
        return json.dumps(row, sort_keys=True, default=str)
    except RecursionError:
        # Without its text the row is never taken for a repetition, so it counts.
        return ""


def _json_list(text: str, path: str | None, name: str) -> list[object]:
    """Return the list at a dotted path, or the whole document."""
    try:
        # As a float, 19.99 would already be another number.
        whole = json.loads(text, parse_float=_decimal)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise FileRefused(
            f"{name} is not complete JSON (error in line {line}); let the export write to another "
            "name first, then rename the file"
        ) from None
    found = _object_at(whole, path) if path else whole
    if isinstance(found, list):
        return found
    place = next(_list_paths(whole), None)
    advice = f'write records = "{place[:60]}"' if place else "set records to its path"
    where = f'at "{path}"' if path else "at its top level"
    raise FileRefused(f"{name} has no list of orders {where}; {advice}")


def _list_paths(value: object, depth: int = 3) -> Iterator[str]:
    """Yield the dotted paths of lists, the shortest first."""
    if not _is_object(value) or not depth:
        return
    yield from (key for key, inner in value.items() if isinstance(inner, list))
    for key, inner in value.items():
        yield from (f"{key}.{path}" for path in _list_paths(inner, depth - 1))


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _decimal(written: str) -> Decimal | None:
    """Return the exact number; None if even a Decimal cannot hold it."""
    try:
        return Decimal(written)
    except InvalidOperation:
        return None


def _object_at(value: object, path: str) -> object:
    """Return the value at a dotted path of objects, or None."""
    if not _is_object(value) or path in value:
        return value[path] if _is_object(value) else None
    key, _, rest = path.partition(".")
    return _object_at(value.get(key), rest) if rest else None


def _values_at(value: object, path: str) -> tuple[object, ...]:
    """Return the values at a dotted path; a list on the way yields one for each element.

    An element without a value yields None, so that the values of several columns stay aligned. A
    list of objects at the end of the path is one value.
    """
    # A key may contain a dot itself, so the whole path is tried first.
    if isinstance(value, dict) and path in value:
        found = value[path]
        is_flat = isinstance(found, list) and not any(isinstance(v, dict | list) for v in found)
        return tuple(found) if is_flat else (found,)
    key, _, rest = path.partition(".")
    if isinstance(value, list):
        return tuple((_values_at(element, path) or (None,))[0] for element in value)
    if isinstance(value, dict) and rest and key in value:
        return _values_at(value[key], rest)
    return ()
