"""`POST /hooks/<token>`: the marketplace names orders that changed.

Whoever has the token can hint, and no more: a hint changes neither when a mail goes nor to whom,
and what is in it is looked up through the API before anything comes of it. Each answer tells
nothing but what a well-meaning sender needs.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from notifier.domain.settings import Secret
from notifier.errors import StoreError
from notifier.sources.mall.webhook import MOST_BYTES, NotHints, TooManyHints, parse_hints
from notifier.web.token_bucket import Turns

BODY_SECONDS = 10.0
LARGEST_HEAD = 8 * 1024
RETRY_SECONDS = 60
"""The marketplace posts at most once a minute."""

Hear = Callable[[str, Sequence[int]], Awaitable[None]]
"""Store what an account's orders were hinted at; raises StoreError where that cannot be."""

logger = logging.getLogger(__name__)


def create_app(
    tokens: Mapping[str, Sequence[Secret]],
    hear: Hear,
    *,
    body_seconds: float = BODY_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
) -> Starlette:
    """An ASGI app; `tokens` are those of each account, by its id."""
    hooks = _Hooks(tokens, hear, body_seconds, monotonic)
    # No methods: a path that nobody knows is not there, whatever is done with it.
    app = Starlette(routes=[Route("/hooks/{token}", hooks)])
    app.router.redirect_slashes = False
    return app


class _Refused(Exception):
    """The visit ends with this status."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class _Hooks:
    """The one route, as an ASGI app."""

    def __init__(
        self,
        tokens: Mapping[str, Sequence[Secret]],
        hear: Hear,
        body_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._tokens = [(one.value, account) for account, all_ in tokens.items() for one in all_]
        self._hear = hear
        self._body_seconds = body_seconds
        self._turns = {account: Turns(monotonic) for account in tokens}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            await self._listen(request)
            response = Response(status_code=202)
        except _Refused as refused:
            response = Response(status_code=refused.status, headers=refused.headers)
        except ClientDisconnect:
            return
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _listen(self, request: Request) -> None:
        """Let in, read, understand, store; in the order of what costs least."""
        account_id = self._account(request.path_params["token"])
        _check_head(request)
        if not self._turns[account_id].take():
            raise _Refused(429, **{"retry-after": str(RETRY_SECONDS)})
        ids = _understood(await self._body(request), account_id)
        await self._store(account_id, ids)

    def _account(self, token: str) -> str:
        """Whose token it is. All are compared, so that nobody can measure how near one came."""
        given = token.encode("utf-8", "replace")
        whose = [
            account
            for own, account in self._tokens
            if hmac.compare_digest(own.encode("utf-8"), given)
        ]
        if not whose:
            raise _Refused(404)
        return whose[0]

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise _Refused(413)
        except TimeoutError:
            raise _Refused(408) from None
        return bytes(body)

    async def _store(self, account_id: str, ids: Sequence[int]) -> None:
        """What cannot be stored must be posted again; a sender hears of it by 503."""
        try:
            await self._hear(account_id, ids)
        except (StoreError, RuntimeError) as error:  # the latter while the store is closed
            logger.warning(
                "%s: a hint could not be stored: %s",
                account_id,
                error,
                extra={"event": "hint_lost", "account": account_id},
            )
            raise _Refused(503, **{"retry-after": str(RETRY_SECONDS)}) from None


def _check_head(request: Request) -> None:
    """Refuse what is no post of a body of known or bounded length."""
    if request.method != "POST":
        raise _Refused(405, allow="POST")
    headers = request.headers
    if sum(len(name) + len(value) for name, value in headers.raw) > LARGEST_HEAD:
        raise _Refused(431)
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if length is not None and encoding is not None:
        raise _Refused(400)  # RFC 9112, 6.1: an attempt to smuggle a second request
    if length is None and encoding is None:
        raise _Refused(411)
    if length is not None and int(length) > MOST_BYTES:
        raise _Refused(413)


def _understood(body: bytes, account_id: str) -> Sequence[int]:
    try:
        hints = parse_hints(body)
    except TooManyHints:
        raise _Refused(413) from None
    except NotHints:
        raise _Refused(400) from None
    logger.info(
        "%s: %d orders hinted at",
        account_id,
        len(hints.ids),
        extra={
            "event": "hinted",
            "account": account_id,
            "orders": len(hints.ids),
            "skipped": hints.skipped,
        },
    )
    return hints.ids
