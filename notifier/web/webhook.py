"""`POST /hooks/<token>`: the marketplace names orders that changed.

A hint changes neither when mail is sent nor to whom, and each order in it is looked up through the
API. So a stolen token is good for hints only. Answers reveal only what an honest sender
needs.
"""

from __future__ import annotations

import asyncio
import contextlib
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

PATH = "/hooks"
# Otherwise a few slow senders could keep every connection busy.
BODY_SECONDS = 10.0
"""Time limit for receiving a whole body."""
CAPACITY = 30
"""Posts that an account may receive at once."""
SECONDS_PER_TOKEN = 2.0
"""Seconds between two posts in the long run."""
LINGER_SECONDS = 1.0
"""Time limit for a body that nobody needs any more."""
REFUSED_UNREAD = frozenset({404, 405, 429})
"""Status codes of refusals before the body is read."""
RETRY_AFTER = {"retry-after": "60"}
"""Seconds until the next attempt; the marketplace posts at most once a minute."""

StoreHints = Callable[[str, Sequence[int]], Awaitable[None]]
"""Stores order ids that an account received; raises StoreError if it cannot."""

logger = logging.getLogger(__name__)


def webhook_route(
    tokens: Mapping[str, Sequence[Secret]],
    store_hints: StoreHints,
    *,
    body_seconds: float = BODY_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
) -> Route:
    """Receive posts to the accounts; `tokens` maps the id of each account to its tokens."""
    webhook = _WebhookApp(tokens, store_hints, body_seconds, monotonic)
    # Without a list of methods: a wrong token must be answered 404, not 405, for every method.
    return Route(f"{PATH}/{{token}}", webhook)


class _WebhookApp:
    """The route's ASGI app; it refuses a request by raising Starlette's HTTPException."""

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
        request = Request(scope, receive)
        try:
            await self._receive(request)
        except ClientDisconnect:
            return
        except HTTPException as refusal:
            if refusal.status_code in REFUSED_UNREAD:
                await self._drop_body(request)
            raise
        await Response(status_code=202)(scope, receive, send)

    async def _receive(self, request: Request) -> None:
        """Check, read, parse and store a post; the cheapest checks come first."""
        # Wrong tokens are not counted: behind a proxy all visitors share one address, so a stranger
        # could block the marketplace with them.
        account_id = self._account(request.path_params["token"])
        _check_head(request)
        if not self._buckets[account_id].take():
            raise HTTPException(429, headers=RETRY_AFTER)
        ids = _parse(await self._body(request, self._body_seconds), account_id)
        await self._store(account_id, ids)

    def _account(self, token: str) -> str:
        """Return the account of a token."""
        # All tokens are compared, and each in constant time, so that the time reveals nothing. As
        # bytes, since compare_digest refuses text outside ASCII.
        given = token.encode("utf-8", "replace")
        matching = [
            account
            for own, account in self._tokens
            if hmac.compare_digest(own.encode("utf-8"), given)
        ]
        if not matching:
            raise HTTPException(404)  # the same bytes as for any unknown path
        return matching[0]

    async def _body(self, request: Request, seconds: float) -> bytes:
        # Counted while it arrives: a chunked body announces no length.
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise HTTPException(413)
        except TimeoutError:
            raise HTTPException(408) from None
        return bytes(body)

    async def _drop_body(self, request: Request) -> None:
        """Read and drop a body, up to the size of a valid one, before its sender is refused."""
        # Closing a connection with unread bytes resets it, and the reset can overtake the answer:
        # a proxy then reports 502 instead of our 404 (RFC 9112, 9.6).
        if "expect" in request.headers:  # it waits for our word before it sends the body
            return
        with contextlib.suppress(HTTPException, ClientDisconnect):
            await self._body(request, LINGER_SECONDS)

    async def _store(self, account_id: str, ids: Sequence[int]) -> None:
        """Store the ids; if that fails, answer 503 so that the sender posts them again."""
        try:
            await self._store_hints(account_id, ids)
        except (StoreError, RuntimeError) as error:  # RuntimeError while the store is closed
            logger.warning(
                "%s: a hint could not be stored: %s",
                account_id,
                error,
                extra={"event": "hint_lost", "account": account_id},
            )
            raise HTTPException(503, headers=RETRY_AFTER) from None


def _check_head(request: Request) -> None:
    """Refuse everything but a POST with either a content length or a transfer encoding."""
    if request.method != "POST":
        raise HTTPException(405, headers={"allow": "POST"})
    length = request.headers.get("content-length")
    encoding = request.headers.get("transfer-encoding")
    if length is not None and encoding is not None:
        raise HTTPException(400)  # possibly request smuggling (RFC 9112, 6.1)
    if length is None and encoding is None:
        raise HTTPException(411)
    # h11 has refused a length that is not a number.
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


class TokenBucket:
    """Limits the posts of one account; `monotonic` returns the seconds of a monotonic clock."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tokens = float(CAPACITY)
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Take one token; return False if the bucket is empty."""
        now = self._monotonic()
        self._tokens = min(CAPACITY, self._tokens + (now - self._filled_at) / SECONDS_PER_TOKEN)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
