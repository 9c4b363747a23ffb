"""The log as text and as JSON lines."""

from __future__ import annotations

import json
import logging

from notifier.logs import JsonLines, TextLines


def record(level: int, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"levelno": level, "levelname": logging.getLevelName(level)})
    made.msg, made.args = "%d orders read", (12,)
    vars(made).update(extra)
    return made


def test_text_has_the_message_alone() -> None:
    assert TextLines().format(record(logging.INFO, event="read")) == "12 orders read"


def test_text_of_a_warning_begins_with_its_level() -> None:
    assert TextLines().format(record(logging.WARNING)) == "WARNING: 12 orders read"


def test_json_has_one_object_per_line_with_event_and_counts() -> None:
    line = JsonLines().format(record(logging.INFO, event="read", account="ljubljana", calls=3))

    fields = json.loads(line)
    assert "\n" not in line
    assert fields["message"] == "12 orders read"
    assert (fields["event"], fields["account"], fields["calls"]) == ("read", "ljubljana", 3)


def test_a_value_with_line_breaks_stays_on_one_line() -> None:
    line = JsonLines().format(record(logging.ERROR, reply="550\nno\x1b[31m"))

    assert line.count("\n") == 0
    assert json.loads(line)["reply"] == "550\nno\x1b[31m"
