"""`notifier simulator`: run the simulated marketplace on a port."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import NamedTuple

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.errors import ExitCode
from notifier.simulator import SCENARIOS, World, serve
from notifier.simulator.server import posting

CLIENT_ID = "demo-client-id"


class WebhookTarget(NamedTuple):
    """The address to which changes are posted, and the share of posts that get lost."""

    url: str
    lost_share: float
    seed: int


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8085,
    show_default=True,
    metavar="N",
    help="Port.",
)
@click.option(
    "--scenario", default="busy_day", show_default=True, metavar="NAME", help="See --list."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same orders.")
@click.option(
    "--in-transit",
    type=click.IntRange(1),
    metavar="N",
    help="Orders in transit at any time, for the scenario season.  [default: 2000]",
)
@click.option(
    "--rate-limit", type=click.IntRange(1), metavar="N", help="API calls a day, then 429."
)
@click.option(
    "--others",
    type=click.IntRange(0),
    metavar="N",
    help="How many of these calls other clients use each day.",
)
@click.option(
    "--latency",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Wait before each answer.",
)
@click.option(
    "--failing",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Share of calls that fail, 0 to 1.",
)
@click.option("--webhook", metavar="URL", help="Post the ids of changed orders to URL.")
@click.option(
    "--webhook-loss",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Share of those posts that get lost, 0 to 1.",
)
@click.option("--client-id", default=CLIENT_ID, show_default=True, help="The credential to accept.")
@click.option("--list", "list_scenarios", is_flag=True, help="List the scenarios and stop.")
@pass_invocation
def command(
    invocation: Invocation,
    *,
    host: str,
    port: int,
    scenario: str,
    seed: int,
    in_transit: int | None,
    rate_limit: int | None,
    others: int | None,
    latency: float | None,
    failing: float,
    webhook: str | None,
    webhook_loss: float,
    client_id: str,
    list_scenarios: bool,
) -> int:
    """Run a simulated marketplace, for tests.

    It answers as the MALL Partner API does, so that you can try the notifier, or your own client,
    without an account. `POST /simulator/advance?days=1` advances its clock, so that orders age,
    come back and are collected; `GET /simulator/state` returns counts.
    """
    if list_scenarios:
        for name, kind in SCENARIOS.items():
            invocation.echo(f"{name:<14}{kind.about}")
        return ExitCode.DONE
    if scenario not in SCENARIOS:
        raise click.BadParameter(
            f'unknown scenario "{scenario}"; available: {", ".join(SCENARIOS)}',
            param_hint="--scenario",
        )
    if in_transit is not None and scenario != "season":
        raise click.UsageError("--in-transit works only with --scenario season")
    if webhook is not None and not webhook.startswith(("http://", "https://")):
        raise click.BadParameter("is not an http or https URL", param_hint="--webhook")
    world = World.from_scenario(
        scenario,
        seed=seed,
        start=invocation.now(),
        clock=invocation.now,
        # Its `Date` header must stay true, or the notifier would report a wrong clock.
        clock_stays=True,
        client_id=client_id,
        in_transit=in_transit,
        rate_limit=rate_limit,
        others=others,
        latency_seconds=latency,
        failing_share=failing,
    )
    hook = WebhookTarget(webhook, webhook_loss, seed) if webhook else None
    return _serve(invocation, world, host, port, hook)


def _serve(
    invocation: Invocation, world: World, host: str, port: int, hook: WebhookTarget | None
) -> int:
    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            # By default, SIGTERM would end the process without closing the sockets.
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            base_url = await stack.enter_async_context(serve(world, host, port))
            if hook:
                posts = posting(world, hook.url, lost_share=hook.lost_share, seed=hook.seed)
                await stack.enter_async_context(posts)
            invocation.echo(f"Simulated marketplace at {base_url}; press Ctrl-C to stop.")
            invocation.echo(f"{len(world.ready_ids())} orders are ready to return.")
            invocation.echo(
                f"  curl '{base_url}/v1/orders?filter=basic&client_id={world.client_id}'"
            )
            invocation.echo(f"  curl -X POST '{base_url}/simulator/advance?days=1'")
            # Scripts wait for these lines, and a pipe is buffered.
            sys.stdout.flush()
            await stop.wait()

    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(until_stopped())
        except OSError as error:
            raise click.ClickException(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another --port"
            ) from None
    return ExitCode.DONE
