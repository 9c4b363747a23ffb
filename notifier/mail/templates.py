"""Load templates into a sandbox in which they can only print plain values."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
)
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Below the 78 characters that RFC 5322, 2.1.1, recommends.
TEXT_WIDTH = 76
"""Characters of a line of the text part."""
LARGEST_TEMPLATE = 256 * 1024
"""Bytes of a template file."""

_PACKAGE = Path(__file__).parents[1]

# They print text as markup, read attributes by name, or are of no use in a mail. `map` remains,
# because it reads attributes through the sandbox, and the text part needs it for its columns.
_FILTERS_TAKEN_AWAY = ("safe", "attr", "xmlattr", "pprint", "tojson", "forceescape")
_GLOBALS_TAKEN_AWAY = ("lipsum", "cycler", "joiner", "namespace")


def templates_root() -> Path:
    """Return the folder of the built-in templates."""
    inside = _PACKAGE / "templates"  # in a wheel; in a checkout it is beside the package
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def environment(*folders: Path) -> Environment:
    """Make a sandboxed environment with the templates of these folders, the first folder first.

    Printing an undefined value is an error, and only files inside the folders are read.
    """
    # Immutable: a template must not change a value that the next one prints.
    sandbox = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([_Folder(folder) for folder in folders]),
        autoescape=_is_html,
        undefined=StrictUndefined,
        # A line with only a tag leaves no empty line in the text part.
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _FILTERS_TAKEN_AWAY:
        sandbox.filters.pop(name)
    for name in _GLOBALS_TAKEN_AWAY:
        sandbox.globals.pop(name)
    sandbox.filters |= {
        "wrapped": _wrapped,
        "left": lambda text, width: text.ljust(width),
        "right": lambda text, width: text.rjust(width),
    }
    return sandbox


# Not FileSystemLoader, which follows symbolic links: an own template could print the configuration
# through one.
class _Folder(BaseLoader):
    """Loads template files of one folder, without links out of it and oversized files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - as Jinja calls it
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        file = self._folder.joinpath(*split_template_path(template)).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            raise TemplateNotFound(template)
        if file.stat().st_size > LARGEST_TEMPLATE:
            raise TemplateError(f"{template} is larger than 256 KiB")
        # Always up to date: built-in templates never change, and own ones are read for each mail.
        return file.read_text(encoding="utf-8"), str(file), lambda: True


def _is_html(name: str | None) -> bool:
    # Not for .txt: a reader of the text part would see "&amp;".
    return name is not None and name.endswith(".html")


def _wrapped(text: str, indent: int = 0) -> str:
    """Wrap at `TEXT_WIDTH` characters and indent each line; words are never broken."""
    # Addresses and tracking numbers must stay whole to be copied.
    margin = " " * indent
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
