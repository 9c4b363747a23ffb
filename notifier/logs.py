"""The run's story as log lines: text for a person, JSON lines for a journal.

A line carries what machines need in `extra`: an `event`, and the account, day and counts. Nothing
secret and nobody's name goes into either.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_PLAIN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


def configure(level: int, *, as_json: bool) -> None:
    """Send the lines of our own loggers to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Story())
    ours = logging.getLogger("notifier")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    # They log whole URLs, and the credential is in the query.
    for foreign in ("httpx", "httpcore"):
        logging.getLogger(foreign).setLevel(logging.WARNING)


class Story(logging.Formatter):
    """The sentence alone; a warning says that it is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows where there is one."""
        text = super().format(record)
        return text if record.levelno < logging.WARNING else f"{record.levelname}: {text}"


class JsonLines(logging.Formatter):
    """One JSON object a line, with the sentence in `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's own fields, and all that was given as `extra`."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {
            key: value for key, value in vars(record).items() if key not in _PLAIN_ATTRIBUTES
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)
