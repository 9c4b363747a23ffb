"""The run's story as log lines: text for a person, JSON lines for a journal.

A line carries what machines need in `extra`: an `event`, and the account, day and counts. Nothing
secret and nobody's name goes into either.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from datetime import UTC, datetime

_PLAIN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


_MOST_WAITING = 10_000
_LAST_SECONDS = 2.0


def configure(level: int, *, as_json: bool, in_background: bool = False) -> None:
    """Send the lines of our own loggers to standard error.

    `in_background` for who must not be held up by a reader that does not read.
    """
    handler = (
        Background(sys.stderr.fileno()) if in_background else logging.StreamHandler(sys.stderr)
    )
    handler.setFormatter(JsonLines() if as_json else Story())
    ours = logging.getLogger("notifier")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    # They log whole URLs, and the credential is in the query.
    for foreign in ("httpx", "httpcore"):
        logging.getLogger(foreign).setLevel(logging.WARNING)
    # It warns of each minute that a long tick takes.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Background(logging.Handler):
    """Writes from a thread of its own: a full pipe then costs lines, and nothing else."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        # A daemon, or a pipe that nobody empties would keep the process from its end.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the line over; it is lost when ten thousand wait."""
        try:
            self._put(self.format(record))
        except Exception:  # noqa: BLE001 - a line must not end who wrote it; logging says so too
            self.handleError(record)

    def close(self) -> None:
        """Write what waits, unless that takes too long."""
        self._put(None)
        self._thread.join(_LAST_SECONDS)
        super().close()

    def _put(self, line: str | None) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            data = f"{line}\n".encode("utf-8", "replace")
            try:
                # Past Python's own buffer: its lock, held at the end, would abort the process.
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                pass  # nobody reads it any more, which is no reason to end


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
