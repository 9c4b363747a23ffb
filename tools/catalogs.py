"""Bring the message catalogs up to date with the source.

    python -m tools.catalogs            # update every existing catalog
    python -m tools.catalogs cs sk      # update these, and create the missing ones

Messages are the arguments of `gettext`, `ngettext` and `lazy` in the source and of `_` in
templates, and the headings in `notifier/domain/columns.py`. A new message is added without a
translation, an unused one is removed, a changed one is marked fuzzy. The tests fail until all
messages are translated and none is fuzzy.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from notifier.domain.columns import COLUMNS
from notifier.i18n.language import CATALOG, LOCALE_FOLDER, SOURCE_LANGUAGE, available_languages

PROJECT = "ready-to-return-notifier"
ROOT = Path(__file__).parents[1]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy": None}


def extract() -> Catalog:
    """Return every translatable message with the files that use it."""
    template = Catalog(project=PROJECT, version="1")
    for message, file in sorted(_messages(), key=lambda pair: pair[1]):
        template.add(message, locations=[(file, 0)])
    return template


def _messages() -> Iterator[tuple[str | tuple[str, ...], str]]:
    yield from _in_files(ROOT.glob("notifier/**/*.py"), "python")
    yield from _in_files(ROOT.glob("templates/**/*.*"), "jinja2.ext:babel_extract")
    for column in COLUMNS.values():
        yield column.heading, "notifier/domain/columns.py"


def _in_files(files: Iterable[Path], method: str) -> Iterator[tuple[str | tuple[str, ...], str]]:
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for file in files:
        for _, message, _, _ in extract_from_file(method, file, _KEYWORDS, options=options):
            yield message, file.relative_to(ROOT).as_posix()


def read(language: str) -> Catalog:
    """Read the catalog of a language; return a new one if it is missing."""
    path = LOCALE_FOLDER / language / CATALOG
    if not path.exists():
        name = Locale.parse(language).english_name
        comment = f"# Messages of the ready-to-return notifier in {name}."
        catalog = Catalog(
            language, header_comment=comment, project=PROJECT, version="1", fuzzy=False
        )
        # The constructor replaces empty values with placeholder addresses, so set them afterwards.
        catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
        return catalog
    with path.open("rb") as file:
        return read_po(file, locale=language)


def refresh(language: str) -> Catalog:
    """Update the catalog of one language, write and return it."""
    catalog = read(language)
    template = extract()
    # With a new creation date the file would change even if no message did.
    template.creation_date = catalog.creation_date
    catalog.update(template)
    catalog.obsolete.clear()
    path = LOCALE_FOLDER / language / CATALOG
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=100, include_lineno=False, sort_by_file=True)
    return catalog


def main(languages: list[str]) -> None:
    """Refresh these languages, by default all."""
    for language in languages or available_languages():
        if language != SOURCE_LANGUAGE:
            catalog = refresh(language)
            missing = [message for message in catalog if message.id and not is_settled(message)]
            print(f"{language}: {len(catalog)} messages, {len(missing)} to translate")


def is_settled(message: Message) -> bool:
    """Return whether a message is translated in all plural forms and not marked fuzzy."""
    forms = (message.string,) if isinstance(message.string, str) else message.string or ("",)
    return all(forms) and not message.fuzzy


if __name__ == "__main__":
    main(sys.argv[1:])
