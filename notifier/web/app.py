"""The one web app: which routes there are, and which of them a socket serves."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send


def create_app(*routes: BaseRoute) -> Starlette:
    """Put the routes together; `only` gives each socket its own part of them."""
    app = Starlette(routes=routes)
    # A redirect from "/health/" would tell strangers which paths exist.
    app.router.redirect_slashes = False
    return app


def only(path: str, app: ASGIApp) -> ASGIApp:
    """Serve `path` and what lies below it; answer 404 to any other path, whatever the app has."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["path"] == path or scope["path"].startswith(f"{path}/")
        chosen = app if inside else PlainTextResponse("Not Found", status_code=404)
        await chosen(scope, receive, send)

    return serve
