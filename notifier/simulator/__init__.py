"""The marketplace API as a Starlette app with named scenarios; imports nothing of the notifier.

    world = World.from_scenario("busy_day", seed=1, start=datetime.now(UTC))
    async with serve(world) as base_url:
        ...
    world.advance(days=1)

`scenarios.py` lists the worlds, `orders.py` says how an order changes, `population.py` which orders
there are, and `app.py` which pages are served.
"""

from notifier.simulator.app import create_app
from notifier.simulator.orders import ABSENT
from notifier.simulator.scenarios import SCENARIOS
from notifier.simulator.server import serve
from notifier.simulator.webhook import Post, Webhook
from notifier.simulator.world import World

__all__ = ["ABSENT", "SCENARIOS", "Post", "Webhook", "World", "create_app", "serve"]
