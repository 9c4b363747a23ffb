"""What an examination finds: each thing with how grave it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from notifier.errors import ExitCode, gravest


class Gravity(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and deserves a look."""
    PROBLEM = "problem"
    """It stops the mail, or asks a person to decide."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    gravity: Gravity
    what: str
    remedy: str = ""
    """What to do; empty where `what` says it, or there is nothing to do."""
    code: ExitCode = ExitCode.DONE
    """What a run would end with because of it; only a problem has one."""

    def __str__(self) -> str:
        said = f"{self.what} — {self.remedy}" if self.remedy else self.what
        return f"{self.gravity:<8} {' '.join(said.split())}"


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(Gravity.OK, what)


def warning(what: str, remedy: str = "") -> Finding:
    """It deserves a look."""
    return Finding(Gravity.WARNING, what, remedy)


def problem(what: str, remedy: str = "", *, code: ExitCode) -> Finding:
    """It must be dealt with."""
    return Finding(Gravity.PROBLEM, what, remedy, code)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """The one exit code for all that was found."""
    return gravest(finding.code for finding in findings)
