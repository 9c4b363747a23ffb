"""Style sheets and style attributes, read as far as mails need it; no text makes it fail."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 5
"""Limit of nested rules; deeper ones are not read."""

_COMMENT = re.compile(r""""[^"\n]*"|'[^'\n]*'|/\*.*?(?:\*/|\Z)|<!--|-->""", re.DOTALL)
_TOKEN = re.compile(r""""[^"\n]*"?|'[^'\n]*'?|[(){};,]""")
_IMPORTANT = re.compile(r"!\s*important$", re.IGNORECASE)
_AT = re.compile(r"@(-?[a-z-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A property and its value: the name in lower case, the value without "!important"."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Declarations for the elements that match one of the selectors."""

    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    condition: str
    """The at-rules around it (`@media …`) in lower case; empty if there are none."""
    line: int


@dataclass(frozen=True, slots=True)
class AtRule:
    """A rule that begins with @; `inside` is the condition of the at-rules around it."""

    name: str
    inside: str
    line: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One style sheet."""

    rules: tuple[Rule, ...]
    at_rules: tuple[AtRule, ...]


def declarations(text: str) -> tuple[Declaration, ...]:
    """Read a style attribute, or what is between the braces of a rule."""
    return tuple(_declarations(_uncommented(text)))


def sheet(text: str, line: int = 1) -> Sheet:
    """Read a style sheet that begins on this line."""
    text = _uncommented(text)
    ends = [match.start() for match in re.finditer("\n", text)]
    found = [*_rules(text, 0, "")]

    def at(offset: int) -> int:
        return line + bisect_right(ends, offset)

    return Sheet(
        tuple(
            Rule(tuple(_selectors(prelude)), tuple(_declarations(body)), inside, at(offset))
            for offset, prelude, body, inside in found
            if not prelude.startswith("@") and body is not None
        ),
        tuple(
            AtRule(match[1].lower(), inside, at(offset))
            for offset, prelude, _, inside in found
            if (match := _AT.match(prelude))
        ),
    )


def _uncommented(text: str) -> str:
    """Remove comments, but keep the line breaks in them."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[0][0] in "\"'" else re.sub(r"[^\n]", " ", match[0])

    return _COMMENT.sub(kept, text)


def _declarations(text: str) -> Iterator[Declaration]:
    for part in _split(text, ";"):
        name, colon, value = part.partition(":")
        value, important = _IMPORTANT.subn("", value.strip())
        if colon and value.strip():
            yield Declaration(name.strip().lower(), value.strip(), bool(important))


def _selectors(text: str) -> Iterator[str]:
    return (" ".join(part.split()) for part in _split(text, ",") if part.strip())


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at separators outside of quotes and parentheses."""
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "()":
            depth = max(0, depth + (1 if token[0] == "(" else -1))
        elif token[0] == separator and not depth:
            yield text[start : token.start()]
            start = token.end()
    yield text[start:]


def _rules(text: str, base: int, inside: str, depth: int = 0) -> Iterator[_Found]:
    """Yield each rule and at-rule: its place, the text before its braces, and in them."""
    for offset, prelude, begins, body in _blocks(text):
        head = prelude.strip()
        begun = base + offset + len(prelude) - len(prelude.lstrip())
        yield begun, head, body, inside
        if body is not None and depth < DEEPEST and head.lower().startswith(_CONDITIONAL):
            condition = " and ".join(filter(None, (inside, " ".join(head.lower().split()))))
            yield from _rules(body, base + begins, condition, depth + 1)


_Found = tuple[int, str, str | None, str]
_CONDITIONAL = ("@media", "@supports", "@layer", "@container")


def _blocks(text: str) -> Iterator[tuple[int, str, int, str | None]]:
    """Yield the blocks of one level: place and text before the braces, place and text in them.

    The text is None without braces, as in `@import …;`. Open braces end with the text.
    """
    depth = start = begins = 0
    prelude = ""
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            if not depth:
                prelude, begins = text[start : token.start()], token.end()
            depth += 1
        elif token[0] == "}":
            if depth == 1:
                yield start, prelude, begins, text[begins : token.start()]
            if depth <= 1:
                start = token.end()
            depth = max(0, depth - 1)
        elif token[0] == ";" and not depth:
            yield start, text[start : token.start()], token.end(), None
            start = token.end()
    if depth:
        yield start, prelude, begins, text[begins:]
    elif text[start:].strip():
        yield start, text[start:], len(text), None
