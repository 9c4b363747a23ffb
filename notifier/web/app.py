"""The web app, and the sockets at which the daemon serves its parts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from notifier.services.context import Context
from notifier.services.daemon import AskHealth
from notifier.web import health, webhook
from notifier.web.server import serving

logger = logging.getLogger(__name__)


def create_app(*routes: BaseRoute) -> Starlette:
    """Combine the routes into one app; `only` limits a socket to some of them."""
    app = Starlette(routes=routes)
    # A redirect from "/health/" would reveal to strangers which paths exist.
    app.router.redirect_slashes = False
    return app


def only(path: str, app: ASGIApp) -> ASGIApp:
    """Serve `path` and the paths below it; answer 404 to any other path of the app."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # The same bytes as Starlette's own 404, which reveals nothing about the other socket.
        inside = scope["path"] == path or scope["path"].startswith(f"{path}/")
        chosen = app if inside else PlainTextResponse("Not Found", status_code=404)
        await chosen(scope, receive, send)

    return serve


@asynccontextmanager
async def listening(context: Context, ask: AskHealth) -> AsyncIterator[None]:
    """Serve the app at each configured socket while the block runs.

    A socket that cannot be opened is only logged as an error: the mail does not depend on it.
    """

    async def store_hints(account_id: str, ids: Sequence[int]) -> None:
        await context.store.order_states.add_hints(account_id, ids, at=context.clock())

    settings = context.settings
    tokens = {one.id: one.webhook_tokens for one in settings.accounts.values()}
    app = create_app(health.health_route(ask), webhook.webhook_route(tokens, store_hints))
    # A server for each socket: many connections to the webhook must not make health answer 503.
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
        logger.error(  # noqa: TRY400 - a traceback would add nothing to address and reason
            "%s endpoint cannot listen on %s: %s; change daemon.%s_listen",
            name,
            listen,
            error.strerror or error,
            name,
            extra={"event": f"no_{name}"},
        )
    else:
        logger.info("%s endpoint listening on %s", name, address, extra={"event": name})
