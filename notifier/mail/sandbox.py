"""The operator's own templates, rendered by a process that can do nothing else.

Whoever may change a template may not be who may read the secrets of this program, and no template
may cost the day's mail: not by its time, its memory, or what it reaches for.
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

SECONDS = 10.0
"""That all the questions of one mail may take."""
LONGEST_ANSWER = 8 * 2**20

_BEGIN = (
    "import sys; sys.path[:] = {path!r}; "
    "from notifier.mail.sandbox_child import main; main(*{folders!r})"
)


class Sandbox:
    """Renders templates of a folder, and of the built-in ones what it has not, elsewhere."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def render(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """One template with values that are plain, or dataclasses of such.

        Raises TemplatesBroken with what is wrong.
        """
        plain = {key: _plain(value) for key, value in values.items()}
        question = json.dumps({"name": name, "language": language, "values": plain})
        answer = json.loads(self._answer(question) or "{}")
        if "text" not in answer:
            why = answer.get("error", "it takes too long, or too much memory")
            raise TemplatesBroken(f"{name}: {why}")
        return str(answer["text"])

    def _answer(self, question: str) -> bytes:
        """A line; nothing where the process has ended."""
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            return b""
        try:
            asked.write(question.encode() + b"\n")
            asked.flush()
        except OSError:
            return b""
        line = answers.readline(LONGEST_ANSWER)
        return line if line.endswith(b"\n") else b""


@contextmanager
def sandboxed(folder: Path, *, seconds: float = SECONDS) -> Iterator[Sandbox]:
    """Keep such a process for one mail, and end it in any case."""
    folders = [str(folder.absolute()), str(templates_root())]
    # As isolated as Python can be: no variables, no folder of the user's, nothing to begin with.
    command = [sys.executable, "-I", "-c", _BEGIN.format(path=sys.path, folders=folders)]
    with subprocess.Popen(  # noqa: S603 - ourselves, and two folders
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    ) as process:
        patience = Timer(seconds, process.kill)
        patience.start()
        try:
            yield Sandbox(process)
        finally:
            patience.cancel()
            process.kill()


def _plain(value: object) -> Any:
    """As JSON takes it: of dataclasses the fields, and the properties as they are here."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if not is_dataclass(value):
        return value
    kind = type(value)
    computed = [name for name in dir(kind) if isinstance(getattr(kind, name), property)]
    names = [*(field.name for field in fields(value)), *computed]
    return {name: _plain(getattr(value, name)) for name in names}
