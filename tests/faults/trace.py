"""What strace wrote of a process, read into calls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MAIN = 0
"""The thread that runs the event loop: the first in a trace."""

_STARTED = re.compile(r"(?:(?P<process>\d+) +)?(?P<name>\w+)\((?P<text>.*)")
_RESUMED = re.compile(r"(?P<process>\d+) +<\.\.\. \w+ resumed>(?P<text>.*)")
_UNFINISHED = " <unfinished ...>"

_CHANGES = frozenset(
    {"connect", "fdatasync", "fsync", "ftruncate", "pwrite64", "rename", "sendto", "unlink"}
)
_WAKES_THE_LOOP = '"\\0", 1, 0, NULL'


@dataclass(frozen=True, slots=True)
class Call:
    """One system call."""

    thread: int
    """MAIN, or 1, 2 … in the order of their first calls."""
    name: str
    number: int
    """Which call of this name it is in its thread, from 1; see `read_trace`."""
    text: str
    """Its arguments and its result, as strace writes them."""

    @property
    def changes_something(self) -> bool:
        """Whether a disk or another program can tell that it was made."""
        return self.name in _CHANGES and not wakes_the_loop(self.text)

    @property
    def opened(self) -> str | None:
        """The file that it opens."""
        return _path(self.text) if self.name == "openat" else None

    @property
    def purpose(self) -> tuple[str, int, str]:
        """What is the same of it in every run that began with the same store."""
        arguments = self.text.removesuffix(_UNFINISHED).rpartition(") = ")[0] or self.text
        if self.name == "pwrite64":  # pages carry salts and checksums
            arguments = re.sub(r'"(?:[^"\\]|\\.)*"', "", arguments)
        # Numbers of descriptors and ports, and names of temporary files, are drawn.
        drawn = r"^\d+|\[[\d.:]+->|TCP:\[\d+\]|(?<=part-)\w+"
        return self.name, self.number, re.sub(drawn, "", arguments)


def _path(text: str) -> str:
    return text.split('"')[1]


def wakes_the_loop(text: str) -> bool:
    """Whether arguments are those of asyncio's call that wakes the event loop."""
    return _WAKES_THE_LOOP in text


Match = Callable[[Call], bool]


def does(name: str, *words: str) -> Match:
    """Match calls of this name with all of these words in their text."""
    return lambda call: call.name == name and all(word in call.text for word in words)


WRITES_JOURNAL = does("pwrite64", "notifier.db-wal>")
FLUSHES_JOURNAL = does("fdatasync", "notifier.db-wal>")


def read_trace(lines: Iterable[str]) -> list[Call]:
    """Read the output of `strace -o`, with `-f` or without; calls in the order they began.

    They are numbered as strace counts for `when=`, but for calls that wake the event loop, since it
    is a matter of chance whether the main thread makes one; and `openat` is counted for each file,
    as strace does with `-P`, since Python opens more files when they are new.
    """
    calls: list[Call] = []
    threads: dict[str, int] = {}
    numbers = Counter[tuple[int, str, str]]()
    unfinished: dict[int, int] = {}
    for line in lines:
        if found := _RESUMED.match(line):
            index = unfinished.pop(threads[found["process"]])
            call = calls[index]
            text = call.text.removesuffix(_UNFINISHED) + found["text"]
            calls[index] = Call(call.thread, call.name, call.number, text)
        elif found := _STARTED.match(line):
            thread, name, text = found["process"] or "", found["name"], found["text"]
            place = threads.setdefault(thread, len(threads))
            if line.endswith(_UNFINISHED):
                unfinished[place] = len(calls)
            counted = place, name, _path(text) if name == "openat" else ""
            numbers[counted] += not wakes_the_loop(text)
            calls.append(Call(place, name, numbers[counted], text))
    return calls


def is_first(call: Call, calls: Sequence[Call]) -> bool:
    """Whether no other thread makes as many calls of this name before it.

    strace counts for each thread, and kills in whichever comes to the number first.
    """
    named = (one for one in calls if one.name == call.name)
    return next(one for one in named if one.number == call.number) is call


def commits(calls: Sequence[Call]) -> list[tuple[Call, Call, Call]]:
    """Every commit: its first page, its flush, and the next call that changes something."""
    found = []
    pages: list[Call] = []
    flushed: tuple[Call, Call] | None = None
    for call in calls:
        if flushed and call.changes_something:
            found.append((*flushed, call))
            flushed = None
        if FLUSHES_JOURNAL(call) and len(pages) > 1:  # its header alone is no transaction
            flushed = pages[0], call
        if WRITES_JOURNAL(call):
            pages.append(call)
        elif call.changes_something and call.thread != MAIN:
            pages = []
    return found
