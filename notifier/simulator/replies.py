"""Responses: the marketplace's JSON with its headers, and those that drip."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.responses import Response, StreamingResponse

from notifier.simulator.answers import Json, failure
from notifier.simulator.faults import Fault

PIECES = 20


def answer(code: int, content: Json, headers: Mapping[str, str] | None = None) -> Response:
    """Some JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, code, dict(headers or {}), "application/json")


def refusal(
    code: int,
    message: str,
    error_codes: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The envelope of what went wrong; `error_codes` are pairs of a code and its message."""
    return answer(code, failure(code, message, error_codes), headers)


def faulty(fault: Fault) -> Response:
    """What a planned failure answers."""
    if fault.body is None:
        return refusal(fault.status, "Planned failure", headers=fault.headers)
    return Response(fault.body, fault.status, dict(fault.headers), "application/json")


def dripping(response: Response, seconds: float) -> Response:
    """The same answer in small pieces, the last of them so many seconds after the first."""
    body = bytes(response.body)
    size = max(1, -(-len(body) // PIECES))

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), size):
            if begin:
                await asyncio.sleep(seconds / (PIECES - 1))
            yield body[begin : begin + size]

    return StreamingResponse(pieces(), response.status_code, dict(response.headers))
