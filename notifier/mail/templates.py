"""Where templates come from, and what they can do: print plain values, and nothing else."""

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

TEXT_WIDTH = 76
LARGEST_TEMPLATE = 256 * 1024

_PACKAGE = Path(__file__).parents[1]

# What makes markup of text, reaches into objects, or is of no use in a mail. `map` stays: what it
# reaches for, it reaches for through the sandbox, and columns are as wide as their widest cell.
_FILTERS_TAKEN_AWAY = ("safe", "attr", "xmlattr", "pprint", "tojson", "forceescape")
_GLOBALS_TAKEN_AWAY = ("lipsum", "cycler", "joiner", "namespace")


def templates_root() -> Path:
    """Where the built-in templates are: inside a wheel, beside the package in a checkout."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def environment(*folders: Path) -> Environment:
    """Templates of these folders, the first that has one counts; in a sandbox without a way out.

    Nothing undefined is printed as nothing, and only a file within its folder is read.
    """
    sandbox = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([_Folder(folder) for folder in folders]),
        autoescape=_is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _FILTERS_TAKEN_AWAY:
        sandbox.filters.pop(name)
    for name in _GLOBALS_TAKEN_AWAY:
        sandbox.globals.pop(name)
    sandbox.filters |= {"wrapped": wrapped, "left": left, "right": right}
    return sandbox


class _Folder(BaseLoader):
    """Files of one folder: none elsewhere by a link, and none so large that it is no template."""

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
        return file.read_text(encoding="utf-8"), str(file), lambda: True


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


def wrapped(text: str, indent: int = 0) -> str:
    """Lines of at most `TEXT_WIDTH` characters, all indented; words are never broken."""
    margin = " " * indent
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def left(text: str, width: int) -> str:
    """Padded on its right."""
    return text.ljust(width)


def right(text: str, width: int) -> str:
    """Padded on its left."""
    return text.rjust(width)
