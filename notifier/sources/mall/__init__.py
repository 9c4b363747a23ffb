"""The marketplace, spoken to in its words and told of in ours.

    async with HttpClient() as http:
        reading = await Marketplace(access, http, clock=clock).read(known)

Read `sweep.py` for the order of things, `listing.py` for pages, `answers.py` for what may go
wrong, and `payloads.py` for its fields.
"""

from notifier.sources.mall.client import Admission, Marketplace
from notifier.sources.mall.listing import list_calls

__all__ = ["Admission", "Marketplace", "list_calls"]
