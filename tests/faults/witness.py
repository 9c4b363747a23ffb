"""Whoever sees everything that is printed and logged, in both styles and in full."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from notifier.logs import JsonLines, TextLines
from tests.canaries import Leak, leaks_in_text


@dataclass(slots=True)
class Witness:
    """What came to light, each kind by itself."""

    story: io.StringIO = field(default_factory=io.StringIO)
    json_lines: io.StringIO = field(default_factory=io.StringIO)
    printed: io.StringIO = field(default_factory=io.StringIO)

    def leaks(self) -> list[Leak]:
        """Secrets and buyers in any of it."""
        return [
            leak
            for name in ("story", "json_lines", "printed")
            for leak in leaks_in_text(getattr(self, name).getvalue(), name)
        ]


@contextlib.contextmanager
def witness() -> Iterator[Witness]:
    """See everything while the block runs: of all libraries too, down to DEBUG."""
    seen = Witness()
    handlers = [logging.StreamHandler(seen.story), logging.StreamHandler(seen.json_lines)]
    for handler, style in zip(handlers, (TextLines(), JsonLines()), strict=True):
        handler.setFormatter(style)
    # Ours stands by itself once a command has set it up.
    loggers = [logging.getLogger(), logging.getLogger("notifier")]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.handlers += handlers
    try:
        with contextlib.redirect_stdout(seen.printed), contextlib.redirect_stderr(seen.printed):
            yield seen
    finally:
        for logger, (level, its_handlers) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers[:] = its_handlers
