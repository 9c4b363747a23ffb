"""`GET /health`: the state of the daemon, for a monitor on this machine."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.services.daemon import AskHealth

PATH = "/health"


def health_route(ask: AskHealth) -> Route:
    """Answer 200 if the daemon is well, else 503; the reason is in the JSON body."""

    async def answer(_: Request) -> Response:
        health = await ask()
        return Response(
            json.dumps(health.fields) + "\n",
            status_code=200 if health.well else 503,
            # A cache must not answer for a daemon that has stopped.
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )

    return Route(PATH, answer)
