"""The picture that an account's mails carry in their header band."""

from __future__ import annotations

from pathlib import Path

from notifier.config.file import read_small
from notifier.domain.settings import Logo

LARGEST = 48 * 1024
"""Bytes: it comes with every mail."""

_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
"""How the formats begin that every mail program shows."""


def read_logo(file: Path) -> Logo:
    """Read a PNG, JPEG or GIF; raises ValueError that says what is wrong with it."""
    content = read_small(file, LARGEST).data
    for beginning, subtype in _KINDS.items():
        if content.startswith(beginning):
            return Logo(subtype, content)
    raise ValueError("is no PNG, JPEG or GIF, and mail programs show nothing else")
