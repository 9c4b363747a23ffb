"""Words that give a leak away: invented, unmistakable, and looked for in whatever a test leaves.

A secret of a test has MARK in it, so that one look finds them all, those of tests to come too. The
buyers are those of the simulator.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from notifier.simulator.catalogue import CANARIES

MARK = "c4nary"
CLIENT_ID = f"{MARK}-client-id-7e1f"
SMTP_LOGIN = ("parcels", f"{MARK}-smtp-password-93ab")
PING_TOKEN = f"{MARK}-ping-5d20"
STORE_PASSWORD = f"{MARK}-store-password-c6e8"

SECRETS = (MARK,)
BUYERS = CANARIES
MAY_HOLD_SECRETS = ("config.toml", ".last-good")
"""Ends of the names of files that may hold secrets: the configuration, where a person may have
written some, and its copies. A buyer is in no file at all."""

_TELLING = 5
"""Letters, of which there are not many such runs in other texts."""
_LONGEST_STEM = 8
"""Letters, so that telephone numbers and the like share one."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A word where it must not be, in one of its forms."""

    place: str
    offset: int
    word: str

    def __str__(self) -> str:
        return f"{self.place}: {self.word!r} at {self.offset}"


def leaks_in_text(text: str, place: str, words: Iterable[str] = (*SECRETS, *BUYERS)) -> list[Leak]:
    """The words that are in a text; offsets in its UTF-8."""
    return leaks_in(text.encode("utf-8", "backslashreplace"), place, words)


def leaks_in(data: bytes, place: str, words: Iterable[str] = (*SECRETS, *BUYERS)) -> list[Leak]:
    """The words that are in some bytes, in whatever form."""
    look = _look_for(tuple(words))
    if not any(stem in data for stem in look.stems):
        return []
    return [Leak(place, hit.start(), look.words[hit[0]]) for hit in look.pattern.finditer(data)]


def leaks_below(folder: Path) -> list[Leak]:
    """The secrets and buyers in all files below a folder, but for secrets where they belong."""
    return [leak for file in files_below(folder) for leak in _leaks_in_file(file)]


def files_below(folder: Path) -> Iterator[Path]:
    """All files, each once, however they are linked."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _leaks_in_file(file: Path) -> list[Leak]:
    words = BUYERS if file.name.endswith(MAY_HOLD_SECRETS) else (*SECRETS, *BUYERS)
    try:
        data = file.read_bytes()
    except OSError:  # gone meanwhile, or nobody may read it: then it is no leak either
        return []
    return leaks_in(data, str(file), words) if data.strip(b"\0") else []


@dataclass(frozen=True, slots=True)
class _Look:
    """What to look for; one of the `stems` is wherever the slow `pattern` finds a thing."""

    stems: frozenset[bytes]
    pattern: re.Pattern[bytes]
    words: Mapping[bytes, str]
    """Which word a form is of."""


@cache
def _look_for(words: tuple[str, ...]) -> _Look:
    of = {form: word for word in words for form in forms(word)}
    longest_first = sorted(of, key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, longest_first)))
    return _Look(frozenset(stem for word in words for stem in _stems(word)), pattern, of)


def forms(word: str) -> set[bytes]:
    """How a word may be written: plain, in JSON, by `ascii()`, in a URL, in a mail.

    A secret in base64 too, as it goes over the wire in a login.
    """
    in_url = quote(word, safe="")
    return {
        word.encode(),
        json.dumps(word)[1:-1].encode(),
        ascii(word)[1:-1].encode(),
        in_url.encode(),
        in_url.replace("%20", "+").encode(),
        quote(word, safe=" @+,.").replace("%", "=").encode(),
        *(_in_base64(word.encode()) if MARK in word else ()),
    }


def _stems(word: str) -> Iterator[bytes]:
    """What is in all forms of a word but base64: letters that are written in one way only."""
    runs: list[str] = re.findall("[A-Za-z0-9]+", word)
    telling = next((run for run in runs if len(run) >= _TELLING), max(runs, key=len))
    yield telling[:_LONGEST_STEM].encode()
    if MARK in word:
        yield from _in_base64(word.encode())


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """What is the same whatever stands before and after; that depends on where it begins."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + plain)
        beyond = (before + len(plain)) // 3 * 4
        yield whole[-(-before * 4 // 3) : beyond]
