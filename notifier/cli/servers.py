"""The webhook in the daemon: what the marketplace posts is taken in beside the ticks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from notifier.services.context import Context

logger = logging.getLogger(__name__)


@asynccontextmanager
async def receiving(context: Context) -> AsyncIterator[None]:
    """Take in what is posted while the block runs, if it is configured.

    Where it cannot be had an error says so, and all the rest goes on: the mail does without.
    """
    async with AsyncExitStack() as opened:
        if context.settings.webhook_listen:
            await _open(context, context.settings.webhook_listen, opened)
        yield


async def _open(context: Context, listen: str, opened: AsyncExitStack) -> None:
    async def hear(account_id: str, ids: Sequence[int]) -> None:
        await context.store.order_states.hint(account_id, ids, at=context.clock())

    tokens = {one.id: one.webhook_tokens for one in context.settings.accounts.values()}
    try:
        from notifier.web import create_app, serving  # noqa: PLC0415 - an extra

        address = await opened.enter_async_context(serving(create_app(tokens, hear), listen))
    except ImportError as error:
        _complain(listen, f'{error.name} is missing; install "ready-to-return-notifier[web]"')
    except OSError as error:
        _complain(listen, f"{error.strerror or error}; change daemon.webhook_listen")
    else:
        logger.info("the webhook is taken at %s", address, extra={"event": "webhook"})


def _complain(listen: str, why: str) -> None:
    logger.error("nobody takes the webhook at %s: %s", listen, why, extra={"event": "no_webhook"})
