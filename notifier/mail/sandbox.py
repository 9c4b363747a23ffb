"""Render the operator's own templates in a separate process that can do nothing else.

The author of a template may not be allowed to read the secrets of this program. And no template
may prevent a digest, however much time or memory it takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from notifier.errors import TemplatesBroken
from notifier.mail.templates import templates_root

# By the clock: the limit of processor time in the process does not count while it waits.
SECONDS = 10.0
"""Time limit for all templates of one mail."""
# The longest text that the process prints, of letters that JSON writes with six bytes ("\u010d").
LONGEST_ANSWER = 8 * 2**20
"""Bytes."""

_BEGIN = (
    "import sys; sys.path[:] = {path!r}; "
    "from notifier.mail.sandbox_child import main; main(*{folders!r})"
)


class Sandbox:
    """Renders templates in the other process; those of one folder replace built-in ones."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def render(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """Render one template with plain values, or dataclasses of plain values.

        Raises TemplatesBroken with the error.
        """
        plain = {key: _plain(value) for key, value in values.items()}
        request = json.dumps({"name": name, "language": language, "values": plain})
        response = json.loads(self._ask(request) or "{}")
        if "text" not in response:
            why = response.get("error", "it takes too long, or too much memory")
            raise TemplatesBroken(f"{name}: {why}")
        return str(response["text"])

    def _ask(self, request: str) -> bytes:
        """Return the response line; empty if the process has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return b""
        try:
            stdin.write(request.encode() + b"\n")
            stdin.flush()
        except OSError:
            return b""
        # Without its end, the line was cut by the limit or by the death of the process.
        line = stdout.readline(LONGEST_ANSWER)
        return line if line.endswith(b"\n") else b""


@contextmanager
def sandboxed(folder: Path, *, seconds: float = SECONDS) -> Iterator[Sandbox]:
    """Run the process for one mail, and end it in every case."""
    folders = [str(folder.absolute()), str(templates_root())]
    # -I and the empty environment: no variable or file of the user changes the interpreter. But -I
    # also ignores PYTHONPATH, so the process gets the path on which this program was found.
    command = [sys.executable, "-I", "-c", _BEGIN.format(path=sys.path, folders=folders)]
    with subprocess.Popen(  # noqa: S603 - our own code and two folders
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A pipe that is never read would block the process once it is full.
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    ) as process:
        # The end of the process also ends a read that waits for its response.
        timer = Timer(seconds, process.kill)
        timer.start()
        try:
            yield Sandbox(process)
        finally:
            timer.cancel()
            process.kill()


def _plain(value: object) -> Any:
    """Convert a value for JSON; a dataclass becomes its fields and computed properties."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if not is_dataclass(value):
        return value
    # Computed here, because the other process gets data without its classes.
    kind = type(value)
    computed = [name for name in dir(kind) if isinstance(getattr(kind, name), property)]
    names = [*(field.name for field in fields(value)), *computed]
    return {name: _plain(getattr(value, name)) for name in names}
