"""A configuration without mistakes, to make one mistake at a time in."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier import config
from notifier.domain.settings import Settings
from notifier.errors import ConfigError

SAMPLE = """\
admin = "Jana Novak <jana@example.com>"

[smtp]
host = "smtp.example.com"
from = "Parcels <digest@example.com>"

[groups.warehouse]
members = ["ana@example.com", "pavol@example.com"]
language = "sl"

[accounts.ljubljana]
client_id = "canary-client-id"
recipients = ["jana@example.com", "warehouse"]
"""


def changed(*changes: tuple[str, str], more: str = "") -> str:
    """The sound text with some of it replaced, and more at its end."""
    text = SAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text + more


def load(
    folder: Path, text: str | bytes = SAMPLE, mode: int = 0o600, /, **environ: str
) -> Settings:
    """Write a text to config.toml and load it."""
    file = folder / "config.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return config.load(file, environ=environ)


def problems(
    folder: Path, text: str | bytes = SAMPLE, mode: int = 0o600, /, **environ: str
) -> list[str]:
    """What is wrong with it, one line each, with the folder taken out."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text, mode, **environ)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]
