"""What is delivered, how an attempt can end, and what each answer of the server makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.ledger import Outcome


class SmtpStage(StrEnum):
    """Where in the conversation an attempt ended."""

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
    """What is to be delivered: the addresses of the transaction, and the frozen bytes."""

    sender: str
    recipient: str
    content: bytes
    """RFC 5322 with CRLF line ends; not dot-stuffed."""
    envid: str
    """Names the message in bounces (RFC 3461, 4.4)."""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How one attempt ended. `reply` is the server's answer, or what happened instead of one."""

    outcome: Outcome
    phase: SmtpStage
    reply: str


def lets_go_on(phase: SmtpStage, code: int) -> bool:
    """Whether an answer at MAIL, RCPT or DATA leads to the next phase."""
    return code == 354 if phase is SmtpStage.DATA else is_yes(code)


def judge(phase: SmtpStage, code: int) -> Outcome:
    """What a final answer makes of the attempt: the table of docs/delivery.md.

    4xx may work later, 5xx will not (RFC 5321, 4.2.1). An answer that is neither, and does not
    lead on, is no verdict: before the dot nothing was handed over, after it nobody knows.
    """
    if phase is SmtpStage.DOT and not is_no(code):
        return Outcome.ACCEPTED if is_yes(code) else Outcome.UNKNOWN
    if not is_final(code) or wants_login(code) or (phase, code) == _TOO_MANY_RECIPIENTS:
        return Outcome.DEFERRED
    return Outcome.REJECTED


# What servers from before RFC 5321 say instead of 452 (4.5.3.1.10).
_TOO_MANY_RECIPIENTS = (SmtpStage.RCPT, 552)


def wants_login(code: int) -> bool:
    """Whether an answer is about our login, and so nobody's failure but the operator's."""
    return code in (530, 535)


def is_yes(code: int) -> bool:
    """Done."""
    return 200 <= code < 300


def is_no(code: int) -> bool:
    """Not done, now or ever."""
    return 400 <= code < 600


def is_final(code: int) -> bool:
    """Not done, and not to be tried again."""
    return 500 <= code < 600
