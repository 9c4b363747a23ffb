"""The envelope of a message, the ways an attempt can end, and the meaning of each reply code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.ledger import Outcome


class SmtpStage(StrEnum):
    """The part of an SMTP session that an attempt reached."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The addresses of one transaction, and the bytes of the message."""

    sender: str
    recipient: str
    content: bytes
    """RFC 5322 with CRLF line ends; not dot-stuffed."""
    envid: str
    """The envelope identifier that a bounce repeats (RFC 3461, 4.4)."""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The result of one attempt."""

    outcome: Outcome
    phase: SmtpStage
    reply: str
    """The server's reply, or the reason for its absence."""


# Servers older than RFC 5321 reply 552 where it asks for 452 (4.5.3.1.10).
_TOO_MANY_RECIPIENTS = (SmtpStage.RCPT, 552)


def judge(phase: SmtpStage, code: int) -> Outcome:
    """Return the outcome for the last reply of an attempt, as in the table of docs/delivery.md."""
    # 4xx is temporary, 5xx is permanent (RFC 5321, 4.2.1). Any other code proves nothing: before
    # the dot the server has no message yet, after the dot it may have accepted it.
    if phase is SmtpStage.DOT and not is_negative(code):
        return Outcome.ACCEPTED if is_positive(code) else Outcome.UNKNOWN
    if not is_permanent(code) or login_required(code) or (phase, code) == _TOO_MANY_RECIPIENTS:
        return Outcome.DEFERRED
    return Outcome.REJECTED


def may_continue(phase: SmtpStage, code: int) -> bool:
    """Return whether a reply to MAIL, RCPT or DATA allows the next command."""
    return code == 354 if phase is SmtpStage.DATA else is_positive(code)


def login_required(code: int) -> bool:
    """Return whether the server asks for a login: a fault of the setup, not of the message."""
    return code in (530, 535)


def is_positive(code: int) -> bool:
    """Return whether the server did what was asked (2xx)."""
    return 200 <= code < 300


def is_negative(code: int) -> bool:
    """Return whether the server refused, for now (4xx) or permanently (5xx)."""
    return 400 <= code < 600


def is_permanent(code: int) -> bool:
    """Return whether the server refused permanently (5xx)."""
    return 500 <= code < 600
