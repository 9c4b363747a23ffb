"""The configuration file: read safely, parsed with line numbers, composed and written."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from notifier.config.layers import Layer, Place, Tree
from notifier.config.options import options
from notifier.config.toml import Where, dotted, lines_of, toml
from notifier.errors import ConfigError, Problem

# A file named by mistake, such as a disk image, must not be read into memory.
LARGEST = 256 * 1024
# Characters. `tomllib` takes minutes for one line that is a key of many dotted parts.
LONGEST_LINE = 1000

_HEAD = """\
# `notifier check` finds every mistake in this file, and shows who gets what, and when.
# For all other options see config.example.toml, or docs/configuration.md.
"""
_TOML_ERROR = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, and its status at the time of reading."""

    data: bytes = field(repr=False)
    status: os.stat_result

    @property
    def open_to_all(self) -> bool:
        """Whether every user of this machine may read or change the file."""
        # Not the group: root:notifier with mode 640 is the mode we recommend.
        return bool(self.status.st_mode & (stat.S_IROTH | stat.S_IWOTH))


def read_small(path: Path, largest: int = LARGEST) -> Content:
    """Read a file of limited size; raises ValueError that says what is wrong with it.

    The open file is examined, so that it cannot be exchanged in between. It is opened without
    blocking, so that a named pipe cannot stop the program.
    """
    try:
        # The open file is examined, because the path could be exchanged between two looks at it.
        with open(path, "rb", opener=_without_blocking) as opened:
            status = os.fstat(opened.fileno())
            # One byte more shows that the file is too large; st_size is 0 for files such as those
            # of /proc.
            data = opened.read(largest + 1) if stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        raise ValueError(_why_unreadable(error)) from None
    if data is None:
        raise ValueError("is a device or pipe; name an ordinary file")
    if len(data) > largest:
        raise ValueError(f"is larger than {largest // 1024} KiB; that cannot be the right file")
    return Content(data, status)


def _without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _why_unreadable(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "does not exist"
        case IsADirectoryError():
            return "is a directory; name a file"
        case PermissionError():
            return "may not be read by this user; change its owner, group or mode"
        case _:
            return f"cannot be read ({error.strerror})"


def is_there(path: Path) -> bool:
    """Whether something is at `path`, even without permission to examine it."""
    try:
        return path.exists()
    except OSError:
        return True


def write_private(file: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises FileExistsError if there is one that is not to be replaced; OSError if the directory
    is missing or may not be written.
    """
    # In the same folder, because a rename is atomic only within one file system. mkstemp
    # sets mode 600.
    descriptor, name = tempfile.mkstemp(file.suffix, f".{file.stem}.", file.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            # Without it, a power cut after the rename can leave an empty file.
            os.fsync(descriptor)
        # O_EXCL, because another process may create the file after any earlier check.
        if not replace:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def decoded(data: bytes, name: str) -> str:
    """Decode a TOML file, without its byte order mark; raises ConfigError."""
    try:
        # Windows editors write a byte order mark, which `tomllib` refuses.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8; save the file in that encoding"
        raise ConfigError((Problem(name, line, "", message),)) from None


def parsed(text: str, name: str) -> Layer:
    """Parse TOML into values and their lines; raises ConfigError that names the broken line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            message = f"is longer than {LONGEST_LINE} characters; break the line"
            raise ConfigError((Problem(name, number, "", message),))
    try:
        tree = tomllib.loads(text)
        lines = lines_of(text)
    except RecursionError:
        raise ConfigError((Problem(name, None, "", "is nested too deeply"),)) from None
    # TOMLDecodeError is one, and so is what int() and date() refuse, without a line.
    except ValueError as error:
        raise ConfigError((_broken(str(error), text, name),)) from None
    return Layer(tree, {where: Place(name, line) for where, line in lines.items()})


def _broken(message: str, text: str, name: str) -> Problem:
    found = _TOML_ERROR.fullmatch(message)
    what = found["what"] if found else "a number or date is out of range"
    line = int(found["line"]) if found and found["line"] else None
    # At the end of the document `tomllib` names no line; the last one with text is the useful one.
    at_end = found is not None and line is None
    advice = "text belongs in quotes, a list in [ ]"
    last = text.rstrip("\n").count("\n") + 1
    return Problem(name, last if at_end else line, "", f"is not TOML: {what}; {advice}")


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
