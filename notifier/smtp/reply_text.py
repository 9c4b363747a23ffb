"""What a server said, and what went wrong, as one printable line, however hostile the server."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

from aiosmtplib.errors import SMTPResponseException

MOST_CHARACTERS = 500


def reply_text(code: int, text: str) -> str:
    """An answer as one line; something that is no answer has no code."""
    return printable(f"{code} {text}" if 100 <= code < 1000 else text)


def what_happened(error: BaseException) -> str:
    """Why there is no answer, without the names of a library's classes."""
    if isinstance(error, SMTPResponseException):
        return reply_text(error.code, error.message)
    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    return printable(_plain(causes[-1])) or type(error).__name__


def _plain(error: BaseException) -> str:
    match error:
        case ssl.SSLError():
            return tls_reason(error)
        case socket.gaierror():
            return error.strerror or str(error)
        case OSError(errno=int(number)):
            return os.strerror(number)
        case ConnectionError():
            return "the connection was lost"
    return str(error)


def tls_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS error behind `error`, if there is one."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)


def tls_reason(error: ssl.SSLError) -> str:
    """What OpenSSL has to say."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message.rstrip("."))
    return printable((error.reason or str(error)).replace("_", " ").lower())


def printable(text: str) -> str:
    """One line without control characters, text direction marks and surrogates."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.split())[:MOST_CHARACTERS]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
