"""A finding: its severity, its place, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How serious a finding is."""

    NOTE = "note"
    """The mail can be read everywhere, but looks plainer in some mail program."""
    WARNING = "warning"
    """Some readers do not get the mail as it was meant."""
    ERROR = "error"
    """The mail should not be sent like this."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One mistake in a mail."""

    severity: Severity
    what: str
    where: str
    """A part of the mail, or a line and element of its HTML."""
    remedy: str
    more: int = 0
    """The number of other places with the same finding."""

    def __str__(self) -> str:
        others = f" and {self.more} more" if self.more else ""
        return " ".join(
            f"{self.severity}: {self.where}{others}: {self.what}; {self.remedy}".split()
        )


def note(what: str, where: object, remedy: str) -> LintFinding:
    """Build a finding that is good to know."""
    return LintFinding(Severity.NOTE, what, str(where), remedy)


def warning(what: str, where: object, remedy: str) -> LintFinding:
    """Build a finding that should be corrected."""
    return LintFinding(Severity.WARNING, what, str(where), remedy)


def error(what: str, where: object, remedy: str) -> LintFinding:
    """Build a finding that must be corrected."""
    return LintFinding(Severity.ERROR, what, str(where), remedy)


def gathered(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    """Merge findings that differ only in their place, and sort the most serious first."""
    # A mistake in the row of an order would otherwise be reported for each order.
    first: dict[tuple[Severity, str, str], LintFinding] = {}
    for finding in findings:
        key = (finding.severity, finding.what, finding.remedy)
        same = first.get(key)
        first[key] = replace(same, more=same.more + 1) if same else finding
    gravity = list(Severity)
    return tuple(sorted(first.values(), key=lambda f: -gravity.index(f.severity)))
