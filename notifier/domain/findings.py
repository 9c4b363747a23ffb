"""Findings of the checks and of `notifier doctor`: how severe each is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from notifier.errors import ExitCode, gravest


class Gravity(StrEnum):
    """How severe a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but a person should have a look."""
    PROBLEM = "problem"
    """It stops the mail, or a person must decide."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    gravity: Gravity
    what: str
    remedy: str = ""
    """What to do; empty if nothing, or if `what` says it."""
    code: ExitCode = ExitCode.DONE
    """The exit code of a run with this problem."""

    def __str__(self) -> str:
        text = f"{self.what} — {self.remedy}" if self.remedy else self.what
        return f"{self.gravity:<8} {' '.join(text.split())}"


def ok(what: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Gravity.OK, what)


def warning(what: str, remedy: str = "") -> Finding:
    """Return a finding that stops nothing."""
    return Finding(Gravity.WARNING, what, remedy)


def problem(what: str, remedy: str = "", *, code: ExitCode) -> Finding:
    """Return a finding that a person must deal with."""
    return Finding(Gravity.PROBLEM, what, remedy, code)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Return the one exit code for all findings."""
    return gravest(finding.code for finding in findings)
