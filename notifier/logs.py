"""The log: plain text for a person, JSON lines for a journal.

Each record has an `event`, the account, the day and counts in `extra`. Neither text nor extra may
contain a secret or a person's name.
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

# What every record has. `Formatter.format` adds `message`, and Python 3.12 `taskName`.
_PLAIN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}
# The queue must be bounded: a reader that never comes back would fill the memory.
_MAX_QUEUED_LINES = 10_000
# A full pipe must not delay the end of the process, which has 60 seconds after SIGTERM.
_CLOSING_SECONDS = 2.0


def configure(level: int, *, as_json: bool, in_background: bool = False) -> None:
    """Send our log to standard error; with `in_background` no caller waits for a slow reader."""
    handler = (
        BackgroundHandler(sys.stderr.fileno())
        if in_background
        else logging.StreamHandler(sys.stderr)
    )
    handler.setFormatter(JsonLines() if as_json else TextLines())
    ours = logging.getLogger("notifier")
    # Replaced, because a second call would otherwise write every line twice.
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    # They log whole URLs at INFO, and the marketplace's credential is in the query.
    for foreign in ("httpx", "httpcore"):
        logging.getLogger(foreign).setLevel(logging.WARNING)
    # It warns once a minute while a tick takes longer, which is normal for a long reading.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class BackgroundHandler(logging.Handler):
    """Writes in a thread of its own: a full pipe loses lines, but does not block the program."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_QUEUED_LINES)
        # A daemon thread, because a full pipe would otherwise keep the process from ending.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line; a full queue drops it."""
        try:
            self._enqueue(self.format(record))
        except Exception:  # noqa: BLE001 - the caller must go on; logging recommends the same
            self.handleError(record)

    def close(self) -> None:
        """Write the queued lines, but give up after two seconds."""
        self._enqueue(None)
        self._thread.join(_CLOSING_SECONDS)
        super().close()

    def _enqueue(self, line: str | None) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            # A lone surrogate, as in an undecodable file name, must not end this thread.
            data = f"{line}\n".encode("utf-8", "replace")
            try:
                # Not through Python's own buffer: its lock, held at exit, would abort the process.
                # A pipe may take only a part of the line.
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                pass  # the reader is gone, which is no reason to end


class TextLines(logging.Formatter):
    """Formats the message alone, with its level in front from WARNING on."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback if there is one."""
        text = super().format(record)
        return text if record.levelno < logging.WARNING else f"{record.levelname}: {text}"


class JsonLines(logging.Formatter):
    """Formats one JSON object per line, with the text in `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's own fields and everything in `extra`."""
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
        # `default`: a value in `extra` that JSON does not know must not cost the line.
        return json.dumps(fields, ensure_ascii=False, default=str)
