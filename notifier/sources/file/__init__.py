"""A list of orders that another program writes, as a source: CSV or JSON, a path or an address.

    async with HttpClient() as http:
        reading = await OrderFile(access, http, clock=clock).read(known)

Read `source.py` first. `fetch.py` gets the bytes, `parsing.py` turns them into records, `rows.py`
a record into an order, and `summary.py` all rows into a reading and the warnings about them.
"""

from notifier.sources.file.fetch import display_name
from notifier.sources.file.source import OrderFile

__all__ = ["OrderFile", "display_name"]
