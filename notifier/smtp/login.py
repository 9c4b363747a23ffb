"""Log in to the mail server, over whatever protection the connection has."""

from __future__ import annotations

import base64

import aiosmtplib
from aiosmtplib.errors import SMTPResponseException

from notifier.domain.settings import SmtpServer
from notifier.errors import MailRefused, MailUnavailable
from notifier.smtp.outcomes import is_final
from notifier.smtp.reply_text import printable, reply_text

HINT = "check smtp.username and smtp.password"

# In the order they are tried. Over TLS a challenge protects nothing more, so there is none.
_MECHANISMS = {"plain": aiosmtplib.SMTP.auth_plain, "login": aiosmtplib.SMTP.auth_login}


async def log_in(client: aiosmtplib.SMTP, server: SmtpServer, *, name: str) -> None:
    """Say who we are, if the configuration does. Raises MailRefused, MailUnavailable.

    Whatever the connection itself raises is left to the caller.
    """
    if server.username is None or server.password is None:
        return
    refusal = await _refusal(client, _mechanisms(client, name), server)
    if refusal is None:
        return
    reply = reply_text(refusal.code, without_login(refusal.message, server))
    if is_final(refusal.code):
        raise MailRefused(f"{name} refused the login ({reply}); {HINT}")
    raise MailUnavailable(f"{name} cannot check the login now ({reply})")


async def _refusal(
    client: aiosmtplib.SMTP, mechanisms: list[str], server: SmtpServer
) -> SMTPResponseException | None:
    """Try one mechanism after the other; None once we are in.

    535 is the verdict on the password: to repeat it in another way only locks the login.
    """
    assert server.username is not None  # noqa: S101 - the caller has seen both
    assert server.password is not None  # noqa: S101
    refusal = None
    for mechanism in mechanisms:
        try:
            await _MECHANISMS[mechanism](client, server.username, server.password.value)
        except SMTPResponseException as error:
            refusal = error
        else:
            return None
        if refusal.code == 535 or not is_final(refusal.code) or not client.is_connected:
            break
    return refusal


def _mechanisms(client: aiosmtplib.SMTP, name: str) -> list[str]:
    known = [mechanism for mechanism in _MECHANISMS if mechanism in client.server_auth_methods]
    if not known:
        offered = printable(" ".join(client.server_auth_methods).upper())
        raise MailRefused(
            f"{name} offers no way to log in that we know ({offered or 'none at all'}); use its "
            "port for submission, 465 or 587, or leave smtp.username out if it wants no login"
        )
    return known


def without_login(text: str, server: SmtpServer) -> str:
    """What a server said, without the login that some servers repeat in it."""
    if server.username is None or server.password is None:
        return text
    password = server.password.value
    for said in (f"\0{server.username}\0{password}", password):
        text = text.replace(base64.b64encode(said.encode()).decode(), "••••")
    return text.replace(password, "••••")
