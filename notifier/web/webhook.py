"""`POST /hooks/<token>`: the marketplace names orders that changed.

Whoever has the token can hint, and no more: a hint changes neither when a mail goes nor to whom,
and each order in it is looked up through the API first. No answer tells more than an honest
sender needs.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from notifier.domain.settings import Secret
from notifier.errors import StoreError
from notifier.sources.mall.webhook import MOST_BYTES, NotHints, TooManyHints, parse_hints
from notifier.web.token_bucket import TokenBucket

PATH = "/hooks"
BODY_SECONDS = 10.0
"""How long a whole body may take, however slowly its bytes come."""
RETRY_AFTER = {"retry-after": "60"}
"""Seconds. The marketplace posts at most once a minute."""

StoreHints = Callable[[str, Sequence[int]], Awaitable[None]]
"""Stores the order ids that an account was sent; raises StoreError where it cannot."""

logger = logging.getLogger(__name__)


def webhook_route(
    tokens: Mapping[str, Sequence[Secret]],
    store_hints: StoreHints,
    *,
    body_seconds: float = BODY_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
) -> Route:
    """Take in what is posted with one of `tokens`, which are those of each account by its id."""
    webhook = _Webhook(tokens, store_hints, body_seconds, monotonic)
    # No methods here: with a wrong token every method is answered 404.
    return Route(f"{PATH}/{{token}}", webhook)


class _Webhook:
    """The route's ASGI app. What it refuses, it raises as Starlette's HTTPException."""

    def __init__(
        self,
        tokens: Mapping[str, Sequence[Secret]],
        store_hints: StoreHints,
        body_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._tokens = [(one.value, account) for account, all_ in tokens.items() for one in all_]
        self._store_hints = store_hints
        self._body_seconds = body_seconds
        self._buckets = {account: TokenBucket(monotonic) for account in tokens}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._take_in(Request(scope, receive))
        except ClientDisconnect:
            return
        await Response(status_code=202)(scope, receive, send)

    async def _take_in(self, request: Request) -> None:
        """Check, read, parse and store a post, the cheapest step first."""
        account_id = self._account(request.path_params["token"])
        _check_head(request)
        if not self._buckets[account_id].take():
            raise HTTPException(429, headers=RETRY_AFTER)
        ids = _parse(await self._body(request), account_id)
        await self._store(account_id, ids)

    def _account(self, token: str) -> str:
        """The account of a token; all are compared, so that the time taken gives nothing away."""
        given = token.encode("utf-8", "replace")
        matching = [
            account
            for own, account in self._tokens
            if hmac.compare_digest(own.encode("utf-8"), given)
        ]
        if not matching:
            raise HTTPException(404)  # byte for byte the answer to any other path
        return matching[0]

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise HTTPException(413)
        except TimeoutError:
            raise HTTPException(408) from None
        return bytes(body)

    async def _store(self, account_id: str, ids: Sequence[int]) -> None:
        """Store the ids; where that fails, 503 asks the sender to post them again."""
        try:
            await self._store_hints(account_id, ids)
        except (StoreError, RuntimeError) as error:  # the latter while the store is closed
            logger.warning(
                "%s: a hint could not be stored: %s",
                account_id,
                error,
                extra={"event": "hint_lost", "account": account_id},
            )
            raise HTTPException(503, headers=RETRY_AFTER) from None


def _check_head(request: Request) -> None:
    """Refuse everything but a POST whose body has a length that is known or bounded."""
    if request.method != "POST":
        raise HTTPException(405, headers={"allow": "POST"})
    length = request.headers.get("content-length")
    encoding = request.headers.get("transfer-encoding")
    if length is not None and encoding is not None:
        raise HTTPException(400)  # RFC 9112, 6.1: an attempt to smuggle a second request
    if length is None and encoding is None:
        raise HTTPException(411)
    if length is not None and int(length) > MOST_BYTES:
        raise HTTPException(413)


def _parse(body: bytes, account_id: str) -> Sequence[int]:
    try:
        hints = parse_hints(body)
    except TooManyHints:
        raise HTTPException(413) from None
    except NotHints:
        raise HTTPException(400) from None
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
