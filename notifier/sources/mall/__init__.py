"""The MALL marketplace as a source of orders.

    async with HttpClient() as http:
        reading = await Marketplace(access, http, clock=clock).read(known)

Read `session.py` first: it names the steps of a reading. `listing.py` and `details.py` make the
calls, `calls.py` and `rate_limit.py` keep the limits, `answers.py` sorts the errors, and
`payloads.py` knows the names of the fields. `webhook.py` reads hints between two readings.
"""

from notifier.sources.mall.client import Marketplace
from notifier.sources.mall.listing import list_calls

__all__ = ["Marketplace", "list_calls"]
