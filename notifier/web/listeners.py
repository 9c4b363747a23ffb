"""The daemon's sockets: health for a monitor, and the webhook for the marketplace."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp

from notifier.services.context import Context
from notifier.services.daemon import AskHealth
from notifier.web import health, webhook
from notifier.web.app import create_app, only
from notifier.web.server import serving

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(context: Context, ask: AskHealth) -> AsyncIterator[None]:
    """Serve the web app while the block runs, at each socket that is configured.

    A socket that cannot be opened is logged as an error and nothing more: the mail goes out
    without it.
    """

    async def store_hints(account_id: str, ids: Sequence[int]) -> None:
        await context.store.order_states.add_hints(account_id, ids, at=context.clock())

    settings = context.settings
    tokens = {one.id: one.webhook_tokens for one in settings.accounts.values()}
    app = create_app(health.health_route(ask), webhook.webhook_route(tokens, store_hints))
    async with AsyncExitStack() as opened:
        if settings.health_listen:
            await _serve("health", only(health.PATH, app), settings.health_listen, opened)
        if settings.webhook_listen:
            await _serve("webhook", only(webhook.PATH, app), settings.webhook_listen, opened)
        yield


async def _serve(name: str, app: ASGIApp, listen: str, opened: AsyncExitStack) -> None:
    try:
        address = await opened.enter_async_context(serving(app, listen))
    except OSError as error:
        logger.error(  # noqa: TRY400 - the address and the reason are all there is to say
            "%s endpoint cannot listen on %s: %s; change daemon.%s_listen",
            name,
            listen,
            error.strerror or error,
            name,
            extra={"event": f"no_{name}"},
        )
    else:
        logger.info("%s endpoint listening on %s", name, address, extra={"event": name})
