"""`notifier simulator`: serve the simulated marketplace on a port."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.errors import ExitCode

if TYPE_CHECKING:
    from notifier.simulator import World

CLIENT_ID = "demo-client-id"


class WebhookTarget(NamedTuple):
    """Receiver of the marketplace's webhook, and the share (0 to 1) of posts that is lost."""

    url: str
    lost_share: float
    seed: int


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8085, show_default=True)
@click.option(
    "--scenario", default="busy_day", show_default=True, metavar="NAME", help="See --list."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same orders.")
@click.option(
    "--in-transit",
    type=click.IntRange(1),
    metavar="N",
    help="Number of orders shipped at any time; only for --scenario season. [default: 2000]",
)
@click.option("--rate-limit", type=click.IntRange(1), metavar="N", help="Calls a day, then 429.")
@click.option(
    "--others",
    type=click.IntRange(0),
    metavar="N",
    help="Of those, calls a day by other integrations.",
)
@click.option(
    "--latency",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Delay of each answer.",
)
@click.option(
    "--failing",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Share of all calls that fails, 0 to 1.",
)
@click.option("--webhook", metavar="URL", help="Post the ids of orders that change to this URL.")
@click.option(
    "--webhook-loss",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Share of those posts that is lost, 0 to 1.",
)
@click.option("--client-id", default=CLIENT_ID, show_default=True, help="The accepted credential.")
@click.option("--list", "list_scenarios", is_flag=True, help="List the scenarios and exit.")
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
    """Serve a simulated marketplace on a port.

    Use it to try the notifier, or your own client, without an account: it answers as the MALL
    Partner API does. `POST /simulator/advance?days=1` lets a day pass, so that orders are shipped,
    come back and are collected; `GET /simulator/state` shows counts.
    """
    try:
        from notifier.simulator import SCENARIOS, World  # noqa: PLC0415
    except ImportError as error:
        raise click.UsageError(
            f'the simulator needs the extra "demo" ({error.name} is missing): '
            "pip install 'ready-to-return-notifier[demo]'"
        ) from None
    if list_scenarios:
        for name, kind in SCENARIOS.items():
            invocation.echo(f"{name:<14}{kind.about}")
        return ExitCode.DONE
    if scenario not in SCENARIOS:
        raise click.BadParameter(
            f'unknown scenario "{scenario}"; choose one of {", ".join(SCENARIOS)}',
            param_hint="--scenario",
        )
    if in_transit is not None and scenario != "season":
        raise click.UsageError(
            "--in-transit is for --scenario season; all others have a fixed size"
        )
    if webhook is not None and not webhook.startswith(("http://", "https://")):
        raise click.BadParameter("must be an http or https URL", param_hint="--webhook")
    world = World.from_scenario(
        scenario,
        seed=seed,
        start=invocation.now(),
        clock=invocation.now,
        clock_stays=True,  # a notifier refuses a marketplace whose Date is days off
        client_id=client_id,
        in_transit=in_transit,
        rate_limit=rate_limit,
        others=others,
        latency_seconds=latency,
        failing_share=failing,
    )
    target = WebhookTarget(webhook, webhook_loss, seed) if webhook else None
    return _serve(invocation, world, host, port, target)


def _serve(
    invocation: Invocation, world: World, host: str, port: int, target: WebhookTarget | None
) -> int:
    import asyncio  # noqa: PLC0415 - keeps `notifier --help` fast
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from notifier.simulator import serve  # noqa: PLC0415
    from notifier.simulator.server import posting  # noqa: PLC0415

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            base_url = await stack.enter_async_context(serve(world, host, port))
            if target:
                posts = posting(world, target.url, lost_share=target.lost_share, seed=target.seed)
                await stack.enter_async_context(posts)
            invocation.echo(f"Serving the simulated marketplace at {base_url}; stop with Ctrl-C.")
            invocation.echo(f"{len(world.ready_ids())} orders are ready to return.")
            invocation.echo(
                f"  curl '{base_url}/v1/orders?filter=basic&client_id={world.client_id}'"
            )
            invocation.echo(f"  curl -X POST '{base_url}/simulator/advance?days=1'")
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
