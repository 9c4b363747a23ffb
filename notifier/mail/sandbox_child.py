"""The process that renders the operator's own templates, started by `sandbox.py`.

Each line of standard input is a request in JSON, each line of standard output its response. The
process has limited time and memory, and cannot write files.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment

from notifier.i18n.language import load_language
from notifier.mail.templates import environment

# Less than the ten seconds that sandbox.py waits, so a loop usually ends here.
CPU_SECONDS = 5
MEMORY = 512 * 2**20
"""Bytes."""
MOST_CHARACTERS = 2**20

_LIMITS = {
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_AS: MEMORY,
    # Files only: the pipes to the main process have no size.
    resource.RLIMIT_FSIZE: 0,
    # A core dump would write the orders to disk.
    resource.RLIMIT_CORE: 0,
}


class TooLong(Exception):
    """A template printed more than any mail may hold."""


def main(*folders: str) -> None:
    """Respond until standard input is closed."""
    # Before the first template is read, and as hard limits, which a process cannot raise again.
    for limit, most in _LIMITS.items():
        resource.setrlimit(limit, (most, most))
    templates = environment(*map(Path, folders))
    for line in sys.stdin:
        request = json.loads(line, object_hook=_object)
        try:
            response = {"text": _rendered(templates, request)}
        except Exception as error:  # noqa: BLE001 - a template can fail in any way
            response = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(response) + "\n")
        # The main process waits for this line before it sends the next request.
        sys.stdout.flush()


def _object(fields: dict[str, Any]) -> SimpleNamespace:
    """Restore attributes and tuples, so that templates work as in the main process."""
    return SimpleNamespace(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
        }
    )


def _rendered(templates: Environment, request: SimpleNamespace) -> str:
    language = load_language(request.language)
    # Rendered piece by piece, to stop a template before it fills the memory.
    pieces, length = [], 0
    for piece in templates.get_template(request.name).generate(
        vars(request.values), _=language.gettext, ngettext=language.ngettext
    ):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise TooLong(f"{request.name} prints more than {MOST_CHARACTERS} characters")
    return "".join(pieces)
