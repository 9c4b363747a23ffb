"""The exceptions of the notifier. Callers ask `temporary`, never which library raised what.

::

    NotifierError                 exit code   temporary
    ├── ConfigError               78          no     every problem of the configuration at once
    ├── TemplatesBroken           78          no     the operator's own templates cannot be used
    ├── RecipientsError           78          no     a list of recipients that cannot be resolved
    ├── RefusedError              77          no     somebody said no; a person must act
    │   ├── MarketplaceRefused    77          no     credential unknown or blocked
    │   ├── FileRefused           77          no     a file of orders is not what was configured
    │   ├── MailRefused           77          no     login or TLS of the mail server
    │   └── ClockRefused          77          no     the clock of this machine cannot be right
    ├── UnavailableError          75          yes    try later
    │   ├── MarketplaceUnavailable
    │   ├── FileUnavailable                a file of orders is not there, or too old
    │   ├── MailUnavailable
    │   ├── ClockUnconfirmed               the clock may have jumped, and nobody could be asked
    │   └── Stopped                        somebody asked this process to stop
    ├── DeliveryFailed            3           no     the mail server refused this message for good
    ├── StoreError                74          no     the store is missing, foreign, broken or newer
    │   ├── StoreBusy             75          yes    another process holds it
    │   └── StoreMoved            78          no     copied, moved or restored; see adopt
    └── VerificationError         1           no     a mail that is not as intended: a bug

Whatever else reaches a door is a bug as well, and exits with 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the command tells its caller; 74 to 78 are those of sysexits.h."""

    DONE = 0
    BUG = 1
    USAGE = 2
    FAILED = 3
    STORE = 74
    TRY_LATER = 75
    REFUSED = 77
    CONFIG = 78


_GRAVITY = (
    ExitCode.BUG,
    ExitCode.CONFIG,
    ExitCode.STORE,
    ExitCode.REFUSED,
    ExitCode.FAILED,
    ExitCode.TRY_LATER,
)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """The one exit code for all that happened in a pass: what a caller must hear first."""
    happened = set(codes)
    return next((code for code in _GRAVITY if code in happened), ExitCode.DONE)


class NotifierError(Exception):
    """Anything the notifier expects may go wrong; its text says what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    temporary: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration, and the way out.

    `path` is dotted (`accounts.ljubljana.recipients[2]`), empty for the file as a whole.
    """

    source: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(NotifierError):
    """The configuration cannot be used; `problems` lists everything that is wrong with it."""

    exit_code = ExitCode.CONFIG

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class TemplatesBroken(NotifierError):
    """The operator's own templates cannot be used; a digest is made with the built-in ones."""

    exit_code = ExitCode.CONFIG


class RecipientsError(NotifierError):
    """Recipients that cannot be resolved; `problems` are (path below the list, message)."""

    exit_code = ExitCode.CONFIG

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(": ".join(filter(None, problem)) for problem in problems))
        self.problems = problems


class RefusedError(NotifierError):
    """A neighbour said no, and will say no again until a person acts."""

    exit_code = ExitCode.REFUSED


class MarketplaceRefused(RefusedError):
    """The marketplace does not accept the credential."""


class FileRefused(RefusedError):
    """A file of orders cannot be what the configuration says, or nobody may read it."""


class MailRefused(RefusedError):
    """The mail server does not accept our login, or we do not accept its certificate."""


class ClockRefused(RefusedError):
    """The clock of this machine is before the build of this program, or far off."""


class UnavailableError(NotifierError):
    """A neighbour does not answer, or not in a way that can be used; later it may."""

    exit_code = ExitCode.TRY_LATER
    temporary = True


class MarketplaceUnavailable(UnavailableError):
    """The marketplace could not be read."""


class FileUnavailable(UnavailableError):
    """A file of orders is not there, is just being written, or was not written for too long."""


class MailUnavailable(UnavailableError):
    """The mail server could not be reached, or asked us to come back."""


class ClockUnconfirmed(UnavailableError):
    """The clock may have jumped, and the marketplace could not be asked what time it is."""


class Stopped(UnavailableError):
    """This process was asked to stop; whatever it had in hand is recorded, and goes on later."""


class DeliveryFailed(NotifierError):
    """The mail server refused a message or a recipient for good."""

    exit_code = ExitCode.FAILED


class StoreError(NotifierError):
    """The store is missing, foreign, broken, or written by a newer program."""

    exit_code = ExitCode.STORE


class StoreBusy(StoreError):
    """Another process holds the store for longer than we wait."""

    exit_code = ExitCode.TRY_LATER
    temporary = True


class StoreMoved(StoreError):
    """The store was copied, moved or restored: what waits in it may have been sent by now."""

    exit_code = ExitCode.CONFIG


class VerificationError(NotifierError):
    """A finished mail, parsed again, is not as intended; it is never sent."""
