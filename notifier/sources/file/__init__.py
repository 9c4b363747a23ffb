"""A list of orders that another program writes, as a source: CSV or JSON, from a path or the web.

    async with HttpClient() as http:
        reading = await OrderFile(access, http, clock=clock).read(known)

Read `source.py` for the order of things, `fetch.py` for how the bytes come here, `records.py` for
rows and columns, `rows.py` for what one row says, `fields.py` for single values,
`conclusion.py` for what all of them come to, and `doubts.py` for what was perhaps not meant.
"""

from notifier.sources.file.fetch import name_of
from notifier.sources.file.source import OrderFile

__all__ = ["OrderFile", "name_of"]
