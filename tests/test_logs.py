"""Log records are formatted as sentences for people and as JSON lines for a journal."""

from __future__ import annotations

import json
import logging

from notifier.logs import JsonLines, TextLines


def record(level: int, **extra: object) -> logging.LogRecord:
    result = logging.makeLogRecord({"levelno": level, "levelname": logging.getLevelName(level)})
    result.msg, result.args = "%d orders read", (12,)
    vars(result).update(extra)
    return result


def test_a_person_reads_only_the_sentence() -> None:
    assert TextLines().format(record(logging.INFO, event="read")) == "12 orders read"


def test_a_warning_begins_with_its_level() -> None:
    assert TextLines().format(record(logging.WARNING)) == "WARNING: 12 orders read"


def test_a_journal_gets_one_json_object_per_line_with_event_and_counts() -> None:
    line = JsonLines().format(record(logging.INFO, event="read", account="ljubljana", calls=3))

    fields = json.loads(line)
    assert "\n" not in line
    assert fields["message"] == "12 orders read"
    assert (fields["event"], fields["account"], fields["calls"]) == ("read", "ljubljana", 3)


def test_line_breaks_in_a_field_do_not_break_the_json_line() -> None:
    line = JsonLines().format(record(logging.ERROR, reply="550\nno\x1b[31m"))

    assert line.count("\n") == 0
    assert json.loads(line)["reply"] == "550\nno\x1b[31m"
