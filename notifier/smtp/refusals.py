"""Why there is no connection to the mail server, as errors that say what to do."""

from __future__ import annotations

import ssl

from aiosmtplib.errors import SMTPResponseException

from notifier.errors import MailRefused, MailUnavailable, NotifierError
from notifier.smtp.outcomes import SmtpStage, is_final, is_no
from notifier.smtp.reply_text import reply_text, tls_error, tls_reason, what_happened

_LOST = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS errors that only tell that the other side went away."""


def refusal(name: str, error: Exception, reached: SmtpStage) -> NotifierError:
    """What went wrong before a transaction could begin, for the operator of server `name`.

    `reached` is the phase it went wrong in.
    """
    if isinstance(error, SMTPResponseException):
        return _by_reply(name, error)
    tls = tls_error(error)
    if tls is not None and not isinstance(tls, _LOST):
        return _by_tls(name, tls)
    if reached is SmtpStage.LOGIN:
        return MailUnavailable(
            f"{name} answered, but not to the login ({what_happened(error)}); wait until it does, "
            "or ask its operator"
        )
    return MailUnavailable(
        f"{name} cannot be reached ({what_happened(error)}); check smtp.host, smtp.port, smtp.tls "
        "and the network"
    )


def no_starttls(name: str) -> MailRefused:
    """The server would only talk in the clear, which may as well be somebody in between."""
    return MailRefused(
        f"{name} does not offer STARTTLS, so nothing was sent; "
        'set smtp.tls = "implicit" with port 465, or use another server'
    )


def _by_reply(name: str, error: SMTPResponseException) -> NotifierError:
    reply = reply_text(error.code, error.message)
    if is_final(error.code):
        return MailRefused(f"{name} does not want to talk to us ({reply}); ask its operator why")
    if is_no(error.code):
        return MailUnavailable(f"{name} asks to come back later ({reply})")
    return MailUnavailable(
        f"{name} gave an answer that is not SMTP ({reply}); check smtp.host and smtp.port"
    )


def _by_tls(name: str, error: ssl.SSLError) -> MailRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return MailRefused(
            f"{name}: its certificate is not trusted ({tls_reason(error)}); correct smtp.host, "
            "name your own authority in smtp.ca_file, or have the certificate renewed"
        )
    return MailRefused(
        f"{name}: no TLS conversation is possible ({tls_reason(error)}); port 465 goes with "
        'smtp.tls = "implicit", port 587 with "starttls"'
    )
