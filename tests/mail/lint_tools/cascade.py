"""The cascade as mails need it: which values the styles give to each element.

It knows selectors by tag, class, id and nesting, and media queries for dark or light. A rule with
any other selector or condition is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from notifier.mail.html import NOT_SHOWN, Document, Element
from tests.mail.lint_tools.css import Declaration, Rule, declarations
from tests.mail.lint_tools.sheets import sheets

MOST_SELECTORS = 1_000
"""Limit of selectors; Gmail supports far fewer."""

_COMPOUND = re.compile(r"(\*|[a-z][\w-]*)?((?:[.#][\w-]+)*)(:root)?", re.IGNORECASE)
_SCHEME = re.compile(r"@media (?:screen and |all and )?\(prefers-color-scheme: ?(dark|light)\)")
_ALWAYS = ("", "@media all", "@media screen")


class Scheme(StrEnum):
    """The colours that the reader's mail program prefers."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Compound:
    """One part of a selector: a tag ("*" for any), classes and ids."""

    tag: str
    classes: frozenset[str]
    ids: frozenset[str]
    within: bool = True
    """Whether it may match any ancestor of the next part; otherwise only the parent."""

    def fits(self, element: Element) -> bool:
        """Whether this part alone matches an element."""
        return (
            self.tag in ("*", element.tag)
            and self.classes <= _classes(element)
            and (not self.ids or self.ids == {element.attributes.get("id")})
        )


Selector = tuple[Compound, ...]
Weight = tuple[bool, bool, tuple[int, int, int], int]
"""The rank of a declaration: important, in the element, specificity, place."""


def styles(page: Document, scheme: Scheme) -> Iterator[tuple[Element, Mapping[str, str]]]:
    """Yield each element, parents first, with its winning values by property.

    `background-color` is listed as "background".
    """
    # The limit keeps the time short for any text that hypothesis writes.
    rules = [*islice(_weighed(page, scheme), MOST_SELECTORS)]
    for element, fitting in _fitting(page.elements, rules):
        yield element, _winners(element, fitting)


def knows_dark(page: Document) -> bool:
    """Whether the mail has rules for dark colours; otherwise the mail program chooses them."""
    conditions = (rule.condition for sheet in sheets(page) for rule in sheet.rules)
    return any("prefers-color-scheme: dark" in c.replace(":dark", ": dark") for c in conditions)


def applies(condition: str, scheme: Scheme) -> bool:
    """Whether a rule under this condition applies on a wide screen."""
    asked = _SCHEME.fullmatch(condition)
    return condition in _ALWAYS or (asked is not None and asked[1] == scheme)


_Weighed = tuple[Selector, tuple[int, int, int], int, Sequence[Declaration]]


def _weighed(page: Document, scheme: Scheme) -> Iterator[_Weighed]:
    rules: Iterator[Rule] = (
        rule for sheet in sheets(page) for rule in sheet.rules if applies(rule.condition, scheme)
    )
    for place, rule in enumerate(rules):
        for written in rule.selectors:
            if selector := read_selector(written):
                yield selector, _specificity(selector), place, rule.declarations


def _fitting(
    elements: Sequence[Element], rules: Sequence[_Weighed]
) -> Iterator[tuple[Element, Sequence[_Weighed]]]:
    """Yield each element with the rules that match it."""
    # A mail has a hundred equal rows, so elements with the same tag, classes, id and kind of parent
    # are matched only once.
    kinds: dict[_Kind, int] = {}
    kind_of: dict[Element | None, int] = {None: -1}
    rules_of: list[Sequence[_Weighed]] = []
    for element in elements:
        own = (element.tag, _classes(element), element.attributes.get("id"))
        kind = kinds.setdefault((*own, kind_of[element.parent]), len(kinds))
        kind_of[element] = kind
        if kind == len(rules_of):
            rules_of.append([rule for rule in rules if fits(rule[0], element)])
        yield element, rules_of[kind]


_Kind = tuple[str, frozenset[str], str | None, int]


def _winners(element: Element, rules: Sequence[_Weighed]) -> dict[str, str]:
    """Return the winning value of each property; `rules` match the element."""
    best: dict[str, tuple[Weight, str]] = {}
    for declaration, weight in _declared(element, rules):
        name = "background" if declaration.name == "background-color" else declaration.name
        if name not in best or best[name][0] <= weight:
            best[name] = (weight, declaration.value)
    return {name: value for name, (_, value) in best.items()}


def _declared(element: Element, rules: Sequence[_Weighed]) -> Iterator[tuple[Declaration, Weight]]:
    for _, specificity, place, written in rules:
        for declaration in written:
            yield declaration, (declaration.important, False, specificity, place)
    for declaration in declarations(element.attributes.get("style", "")):
        yield declaration, (declaration.important, True, (0, 0, 0), 0)


def read_selector(text: str) -> Selector | None:
    """Read a selector into its parts from left to right; None if it uses anything else."""
    parts: list[Compound] = []
    child = False
    for word in text.replace(">", " > ").split():
        if word == ">":
            child = True
            continue
        match = _COMPOUND.fullmatch(word)
        if not match:
            return None
        names = re.findall(r"([.#])([\w-]+)", match[2])
        if child and parts:
            last = parts[-1]
            parts[-1] = Compound(last.tag, last.classes, last.ids, within=False)
        parts.append(
            Compound(
                "html" if match[3] else (match[1] or "*").lower(),
                frozenset(name for sign, name in names if sign == "."),
                frozenset(name for sign, name in names if sign == "#"),
            )
        )
        child = False
    return tuple(parts) or None


def fits(selector: Selector, element: Element) -> bool:
    """Whether a selector matches an element in its place."""
    if not selector[-1].fits(element):
        return False
    return len(selector) == 1 or _fits_above(selector[:-1], element)


def _fits_above(selector: Selector, element: Element) -> bool:
    """Whether the ancestors of the element match, the nearest first."""
    compound = selector[-1]
    for ancestor in element.ancestors():
        if compound.fits(ancestor):
            # The nearest match is enough, except before ">", which mails hardly nest.
            return len(selector) == 1 or _fits_above(selector[:-1], ancestor)
        if not compound.within:
            return False
    return False


def _classes(element: Element) -> frozenset[str]:
    return frozenset(element.attributes.get("class", "").split())


def _specificity(selector: Selector) -> tuple[int, int, int]:
    return (
        sum(len(part.ids) for part in selector),
        sum(len(part.classes) for part in selector),
        sum(part.tag != "*" for part in selector),
    )


def is_hidden(element: Element, values: Mapping[str, str]) -> bool:
    """Whether neither the element nor anything in it is shown."""
    return (
        element.tag in NOT_SHOWN
        or values.get("display", "").lower() == "none"
        or values.get("visibility", "").lower() in ("hidden", "collapse")
        or "hidden" in element.attributes
    )
