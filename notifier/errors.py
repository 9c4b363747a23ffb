"""The exceptions of the notifier. Callers check `temporary`, never the library that failed.

::

    NotifierError                 exit code   temporary
    ├── ConfigError               78          no     every problem of the configuration at once
    ├── TemplatesBroken           78          no     the operator's own templates fail
    ├── RecipientsError           78          no     a list of recipients that cannot be resolved
    ├── RefusedError              77          no     refused; a person must act
    │   ├── MarketplaceRefused    77          no     credential unknown or blocked
    │   ├── FileRefused           77          no     a file of orders is unlike its configuration
    │   ├── MailRefused           77          no     login or TLS of the mail server
    │   └── ClockRefused          77          no     the clock of this machine is wrong
    ├── UnavailableError          75          yes    try later
    │   ├── MarketplaceUnavailable
    │   ├── FileUnavailable                a file of orders is missing or too old
    │   ├── MailUnavailable
    │   ├── ClockUnconfirmed               the clock may have jumped; nothing confirms it
    │   └── Stopped                        the process was asked to stop
    ├── DeliveryFailed            3           no     the mail server refused this message
    ├── StoreError                74          no     the store is missing, foreign, broken, newer
    │   ├── StoreBusy             75          yes    another process holds it
    │   └── StoreMoved            78          no     copied, moved or restored; see adopt
    └── VerificationError         1           no     a finished mail has unexpected content: a bug

Any other exception that reaches the command line is a bug too, and exits with 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command; 74 to 78 are those of sysexits.h."""

    DONE = 0
    # Python's own code for an exception that nothing catches.
    BUG = 1
    # Click's own code for a mistake on the command line.
    USAGE = 2
    FAILED = 3
    # packaging/systemd/ relies on these: 75 counts as success, 77 and 78 prevent a restart.
    STORE = 74
    TRY_LATER = 75
    REFUSED = 77
    CONFIG = 78


# The command exits with one code for all accounts. What ends by itself comes last, so that it never
# hides what needs a person.
_GRAVITY = (
    ExitCode.BUG,
    ExitCode.CONFIG,
    ExitCode.STORE,
    ExitCode.REFUSED,
    ExitCode.FAILED,
    ExitCode.TRY_LATER,
)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the most severe code."""
    present = set(codes)
    return next((code for code in _GRAVITY if code in present), ExitCode.DONE)


class NotifierError(Exception):
    """A failure that the notifier expects; its text says what to do."""

    # A subclass that sets no code of its own must not look like success.
    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    temporary: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration."""

    source: str
    line: int | None
    path: str
    """Dotted (`accounts.ljubljana.recipients[2]`); empty for the file as a whole."""
    message: str
    """What is wrong, and what to write instead."""

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(NotifierError):
    """The configuration cannot be used; `problems` lists every mistake."""

    exit_code = ExitCode.CONFIG

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        # All at once: an operator who sees one mistake per attempt needs many attempts.
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class TemplatesBroken(NotifierError):
    """The operator's own templates fail; digests are made with the built-in ones."""

    exit_code = ExitCode.CONFIG


class RecipientsError(NotifierError):
    """Recipients cannot be resolved; `problems` are (path within the list, message)."""

    exit_code = ExitCode.CONFIG

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(": ".join(filter(None, problem)) for problem in problems))
        self.problems = problems


class RefusedError(NotifierError):
    """A server, file or clock fails the same way until a person acts."""

    exit_code = ExitCode.REFUSED


class MarketplaceRefused(RefusedError):
    """The marketplace does not accept the credential."""


class FileRefused(RefusedError):
    """A file of orders is unlike its configuration, or permissions forbid reading it."""


class MailRefused(RefusedError):
    """The mail server does not accept our login, or we do not accept its certificate."""


class ClockRefused(RefusedError):
    """The clock of this machine is before the build of this program, or far from server time."""


class UnavailableError(NotifierError):
    """A server, file or clock cannot be used now, but may be later."""

    exit_code = ExitCode.TRY_LATER
    temporary = True


class MarketplaceUnavailable(UnavailableError):
    """The marketplace could not be read."""


class FileUnavailable(UnavailableError):
    """A file of orders is missing, is being written right now, or is too old."""


class MailUnavailable(UnavailableError):
    """The mail server could not be reached, or asked to try later."""


class ClockUnconfirmed(UnavailableError):
    """The clock may have jumped, and no server could confirm the time."""


class Stopped(UnavailableError):
    """The process was asked to stop; its unfinished work is recorded and continues later."""


class DeliveryFailed(NotifierError):
    """The mail server refused a message or a recipient permanently."""

    exit_code = ExitCode.FAILED


class StoreError(NotifierError):
    """The store is missing, foreign, broken, or written by a newer program."""

    exit_code = ExitCode.STORE


class StoreBusy(StoreError):
    """Another process holds the store for too long."""

    exit_code = ExitCode.TRY_LATER
    temporary = True


class StoreMoved(StoreError):
    """The store was copied, moved or restored: its waiting messages may have been sent since."""

    # Not 74: the store is sound, and the daemon must not be restarted until a person has decided.
    exit_code = ExitCode.CONFIG


class VerificationError(NotifierError):
    """A finished mail, parsed again, has unexpected content; it is never sent."""
