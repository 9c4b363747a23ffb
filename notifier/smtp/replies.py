"""Translate server replies and lost connections into a printable line or one of our errors."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

from aiosmtplib.errors import SMTPResponseException

from notifier.errors import MailRefused, MailUnavailable, NotifierError
from notifier.smtp.outcomes import SmtpStage, is_negative, is_permanent

# About one line of a reply (RFC 5321, 4.5.3.1.5); all its lines together may have 32 kB.
MAX_CHARACTERS = 500

# These TLS errors mean a lost connection, not a failed negotiation: a later attempt may succeed.
_DISCONNECTED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def reply_text(code: int, text: str) -> str:
    """Return a reply as one line, without the library's code for what is not a reply."""
    return printable(f"{code} {text}" if 100 <= code < 1000 else text)


def describe_error(error: BaseException) -> str:
    """Return the reason for a missing reply, without the names of a library's classes."""
    if isinstance(error, SMTPResponseException):
        return reply_text(error.code, error.message)
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    # The last cause is the error of the system; those before only say that the connection failed.
    return printable(_plain(causes[-1])) or type(error).__name__


def find_tls_error(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error among the causes of `error`, or None."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)


def printable(text: str) -> str:
    """Return one line without control characters, text direction marks and surrogates."""
    # A hostile server could otherwise write escape sequences into a terminal or a log.
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.split())[:MAX_CHARACTERS]


def session_error(name: str, error: Exception, phase: SmtpStage) -> NotifierError:
    """Return our error for a failure before the first transaction.

    `name` is the server's name for the operator, `phase` the phase that failed.
    """
    if isinstance(error, SMTPResponseException):
        return _reply_error(name, error)
    tls = find_tls_error(error)
    if tls is not None and not isinstance(tls, _DISCONNECTED):
        return _tls_error(name, tls)
    reason = describe_error(error)
    if phase is SmtpStage.LOGIN:
        return MailUnavailable(
            f"{name} accepted the connection, but did not answer the login ({reason}); wait, or "
            "ask its operator"
        )
    return MailUnavailable(
        f"{name} cannot be reached ({reason}); check smtp.host, smtp.port, smtp.tls and the network"
    )


def _reply_error(name: str, error: SMTPResponseException) -> NotifierError:
    reply = reply_text(error.code, error.message)
    if is_permanent(error.code):
        return MailRefused(f"{name} refuses the connection ({reply}); ask its operator why")
    if is_negative(error.code):
        return MailUnavailable(f"{name} asks to try again later ({reply})")
    return MailUnavailable(
        f"{name} sent a reply that is not SMTP ({reply}); check smtp.host and smtp.port"
    )


def _tls_error(name: str, error: ssl.SSLError) -> MailRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return MailRefused(
            f"{name}: its certificate is not trusted ({_tls_reason(error)}); correct smtp.host, "
            "name your own authority in smtp.ca_file, or have the certificate renewed"
        )
    return MailRefused(
        f"{name}: the TLS handshake failed ({_tls_reason(error)}); port 465 goes with "
        'smtp.tls = "implicit", port 587 with "starttls"'
    )


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message.rstrip("."))
    return printable((error.reason or str(error)).replace("_", " ").lower())


def _plain(error: BaseException) -> str:
    match error:
        case ssl.SSLError():
            return _tls_reason(error)
        case socket.gaierror():
            return error.strerror or str(error)
        case OSError(errno=int(number)):
            return os.strerror(number)
        case ConnectionError():
            return "the connection was lost"
    return str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
