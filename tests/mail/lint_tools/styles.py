"""Styles that some mail program lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from notifier.mail.html import Document, Element
from notifier.mail.lint.findings import LintFinding, note, warning
from tests.mail.lint_tools.css import Declaration, Rule, Sheet, declarations
from tests.mail.lint_tools.sheets import sheets, style_texts
from tests.mail.lint_tools.support import (
    FEATURES,
    LACK_AT_RULES,
    LACK_MEDIA,
    LACK_OTHER_AT_RULES,
    MOST_STYLE_BYTES,
    SELECTORS,
    SPACED_COLOUR,
    Fallback,
    Feature,
    Program,
    Selecting,
)


def wrong_styles(page: Document) -> Iterator[LintFinding]:
    """Check the style elements and the style attributes."""
    for element in page.elements:
        if "hidden" in element.attributes:
            yield warning(
                "Gmail, Outlook for Windows and outlook.com show what is hidden",
                element,
                "leave it out, or write display: none; mso-hide: all",
            )
        if style := element.attributes.get("style"):
            yield from _block(declarations(style), page, element, "")
    for sheet in sheets(page):
        yield from _at_rules(sheet)
        for rule in sheet.rules:
            yield from _rule(rule, page)
    yield from _elements(page)


def _rule(rule: Rule, page: Document) -> Iterator[LintFinding]:
    where = f"line {rule.line}, style {', '.join(rule.selectors)[:60]}"
    for selecting in SELECTORS:
        found = any(selecting.written.search(selector) for selector in rule.selectors)
        if found and (lacking := _who_lacks(selecting, rule.condition)):
            yield _lacking(selecting, lacking, where, is_extra=bool(rule.condition))
    yield from _block(rule.declarations, page, where, rule.condition)


def _block(
    block: Sequence[Declaration], page: Document, where: Element | str, condition: str
) -> Iterator[LintFinding]:
    """Check the declarations of one rule or attribute."""
    tag = where.tag if isinstance(where, Element) else ""
    for place, declaration in enumerate(block):
        if SPACED_COLOUR.search(declaration.value):
            yield warning(
                "Gmail drops all styles beside a colour that is written without commas",
                where,
                "write it as #rrggbb",
            )
        for feature in FEATURES:
            if (
                feature.is_in(declaration, tag)
                and (lacking := _who_lacks(feature, condition))
                and not _has_fallback(feature, block, place, page, where)
            ):
                yield _lacking(feature, lacking, where, is_extra=bool(condition))


def _who_lacks(feature: Feature | Selecting, condition: str) -> tuple[Program, ...]:
    """Return the programs that read it and lack it."""
    unaware = LACK_MEDIA if condition else ()
    return tuple(program for program in feature.lacking if program not in unaware)


def _lacking(
    feature: Feature | Selecting,
    programs: Sequence[Program],
    where: Element | str,
    *,
    is_extra: bool,
) -> LintFinding:
    """Build the finding; `is_extra` means that only capable programs read it, as in @media."""
    found = note if feature.degrades or is_extra else warning
    return found(f"{_lack(programs)} {feature.name}", where, feature.instead)


def _lack(programs: Sequence[Program]) -> str:
    *others, last = programs
    return f"{', '.join(others)} and {last} lack" if others else f"{last} lacks"


def _has_fallback(
    feature: Feature,
    block: Sequence[Declaration],
    place: int,
    page: Document,
    where: Element | str,
) -> bool:
    attributes = where.attributes if isinstance(where, Element) else {}
    names = {one.name for one in block}
    match feature.fallback:
        case Fallback.BEFORE:
            before = (one for one in block[:place] if one.name == block[place].name)
            return any(not feature.is_in(one) for one in before)
        case Fallback.COLOUR:
            return "background-color" in names or "bgcolor" in attributes
        case Fallback.OUTLOOK_TABLE:
            has_width = attributes.get("width", "").rstrip("px").isdigit()
            return has_width or "width" in names or _has_outlook_table(page)
        case Fallback.MSO_HIDE:
            return "mso-hide" in names
        case Fallback.NONE:
            return False


def _has_outlook_table(page: Document) -> bool:
    """Whether a table that only Outlook for Windows reads holds the mail together."""
    return any("mso" in c.text and "<table" in c.text for c in page.comments)


def _at_rules(sheet: Sheet) -> Iterator[LintFinding]:
    for rule in sheet.at_rules:
        where = f"line {rule.line}, @{rule.name}"
        if rule.name in ("import", "font-face"):
            continue  # the lint of the program finds what is loaded from a server
        if rule.inside:
            yield warning(
                "Gmail drops the whole style element for an at-rule within another",
                where,
                "write both conditions into one, or the rules beside each other",
            )
        elif rule.name not in ("media", "charset"):
            yield note(
                f"{_lack(LACK_AT_RULES.get(rule.name, LACK_OTHER_AT_RULES))} @{rule.name}",
                where,
                "nothing to do if the mail can be read without it",
            )


def _elements(page: Document) -> Iterator[LintFinding]:
    """Check that there is one style element, in the head, and short enough for Gmail."""
    found = [*page.named("style")]
    for element in found:
        if any(above.tag == "body" for above in element.ancestors()):
            yield warning(
                "Gmail and Outlook for Windows take no styles from the body",
                element,
                "move them into the head",
            )
    if len(found) > 1:
        yield warning(
            f"there are {len(found)} style elements, and some programs read only the first",
            found[1],
            "write everything into one",
        )
    size = sum(len(text.text.encode("utf-8", "replace")) for text in style_texts(page))
    if size > MOST_STYLE_BYTES:
        yield warning(
            f"Gmail drops styles beyond {MOST_STYLE_BYTES:,} bytes, and these have {size:,}",
            found[-1],
            "move them into the elements",
        )
