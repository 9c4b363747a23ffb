"""The process in which the operator's own templates are rendered; see `enclosure.py`.

It is asked in lines of JSON on standard input and answers likewise, one for one. It has plain data
and template files, a sandbox, a limit on time and memory, and no way to write a file.
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

CPU_SECONDS = 5
MEMORY = 512 * 2**20
MOST_CHARACTERS = 2**20

_LIMITS = {
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
}


class TooLong(Exception):
    """What a template printed is longer than any mail."""


def main(*folders: str) -> None:
    """Answer until nobody asks any more."""
    for limit, most in _LIMITS.items():
        resource.setrlimit(limit, (most, most))
    templates = environment(*map(Path, folders))
    for line in sys.stdin:
        question = json.loads(line, object_hook=_object)
        try:
            answer = {"text": _rendered(templates, question)}
        except Exception as error:  # noqa: BLE001 - whatever a template does is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _object(fields: dict[str, Any]) -> SimpleNamespace:
    """What templates see as it is in the other process: attributes, and tuples."""
    return SimpleNamespace(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
        }
    )


def _rendered(templates: Environment, question: SimpleNamespace) -> str:
    language = load_language(question.language)
    pieces, length = [], 0
    for piece in templates.get_template(question.name).generate(
        vars(question.values), _=language.gettext, ngettext=language.ngettext
    ):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise TooLong(f"{question.name} prints more than {MOST_CHARACTERS} characters")
    return "".join(pieces)
