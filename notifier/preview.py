"""Show the digest without recording or sending: the same steps as a run, up to rendering."""

from __future__ import annotations

from datetime import date

from notifier.digest import Digest
from notifier.parts import Account
from notifier.reading import Failed, Source
from notifier.render import Parts
from notifier.run import Workshop, read_digest


async def preview(
    account: Account, source: Source, shop: Workshop, day: date, language: str | None
) -> tuple[Digest, Parts]:
    """Today's digest as the first recipient (who reads `language`) would see it.

    Raises the reason when nothing could be read.
    """
    digest = await read_digest(account, source, shop.store, day)
    if isinstance(digest, Failed):
        raise digest.error
    chosen = language or account.recipients[0].language
    reader = next((r for r in account.recipients if r.language == chosen), None)
    group = reader.group if reader else None
    return digest, shop.renderer.digest(digest, account, shop.sender, language=chosen, group=group)
