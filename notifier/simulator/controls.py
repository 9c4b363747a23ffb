"""The pages that are ours: to look into a world, to move it on, to break it.

GET  /simulator/state               what is in the world, and what was asked of it; with several
                                    accounts ?client_id= chooses one
POST /simulator/advance?days=1      let days pass
POST /simulator/fail?status=503     let every call fail; with &count=3, the next three
POST /simulator/recover             let calls succeed again
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.simulator.answers import Json
from notifier.simulator.replies import answer
from notifier.simulator.world import World

MOST_DAYS = 366


def controls(accounts: Mapping[str, World]) -> list[Route]:
    """These pages for the worlds of some accounts, by client_id; what is done is done to all."""
    worlds = tuple(accounts.values())

    async def state(request: Request) -> Response:
        client_id = request.query_params.get("client_id", "")
        return answer(200, _state(accounts.get(client_id, worlds[0])))

    async def advance(request: Request) -> Response:
        days = _number(request, "days", 1, range(MOST_DAYS + 1))
        for world in worlds:
            world.advance(days)
        return await state(request)

    async def fail(request: Request) -> Response:
        status = _number(request, "status", 503, range(200, 600))
        count = _number(request, "count", 0, range(1_000))
        for world in worlds:
            if count:
                world.fail_next(count, status)
            else:
                world.fail_always(status)
        return await state(request)

    async def recover(request: Request) -> Response:
        for world in worlds:
            world.stop_failing()
        return await state(request)

    return [
        Route("/simulator/state", state, methods=["GET"]),
        Route("/simulator/advance", advance, methods=["POST"]),
        Route("/simulator/fail", fail, methods=["POST"]),
        Route("/simulator/recover", recover, methods=["POST"]),
    ]


def is_in(text: str, allowed: range) -> bool:
    """Whether it is a number of a range, in at most four digits."""
    return text.isdecimal() and len(text) <= 4 and int(text) in allowed


def _state(world: World) -> Json:
    ready = world.ready_ids()
    return {
        "scenario": world.scenario.name,
        "now": world.now.isoformat(timespec="seconds"),
        "shipped": len(world.shipped_ids()),
        "ready": len(ready),
        "ready_ids": ready,
        "requests": world.requests,
        "calls_left": world.rate.remaining(world.clock.reached),
    }


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query_params.get(name, str(default))
    if not is_in(text, allowed):
        raise HTTPException(400, f"{name}: {text[:20]} is not {allowed[0]} to {allowed[-1]}")
    return int(text)
