"""What is wrong with a mail: how grave it is, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How grave a finding is."""

    NOTE = "note"
    """Some mail program shows it plainer than others, and nothing is lost."""
    WARNING = "warning"
    """Somebody will not see it as it was meant."""
    ERROR = "error"
    """It must not be sent like this."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing that is wrong with a mail."""

    severity: Severity
    what: str
    where: str
    """A part of the mail, or a line and an element of its HTML."""
    remedy: str
    more: int = 0
    """In how many other places it is the same."""

    def __str__(self) -> str:
        others = f" and {self.more} more" if self.more else ""
        return " ".join(
            f"{self.severity}: {self.where}{others}: {self.what}; {self.remedy}".split()
        )


def note(what: str, where: object, remedy: str) -> LintFinding:
    """Worth knowing."""
    return LintFinding(Severity.NOTE, what, str(where), remedy)


def warning(what: str, where: object, remedy: str) -> LintFinding:
    """Worth mending."""
    return LintFinding(Severity.WARNING, what, str(where), remedy)


def error(what: str, where: object, remedy: str) -> LintFinding:
    """To be mended."""
    return LintFinding(Severity.ERROR, what, str(where), remedy)


def gathered(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    """The gravest first, and each but once: it names its first place and counts the others."""
    first: dict[tuple[Severity, str, str], LintFinding] = {}
    for finding in findings:
        key = (finding.severity, finding.what, finding.remedy)
        same = first.get(key)
        first[key] = replace(same, more=same.more + 1) if same else finding
    gravity = list(Severity)
    return tuple(sorted(first.values(), key=lambda one: -gravity.index(one.severity)))
