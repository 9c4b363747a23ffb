"""Canary words: invented secrets and buyers that must not appear in anything a test leaves behind.

Every secret of a test contains MARK, so that a search for MARK also finds secrets of future tests.
The buyers are those of the simulator.
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
"""Endings of the names of files that may hold secrets: the configuration and its copies.
Buyers may not appear in any file."""

# A run of five letters is rare enough in other texts to make a fast first search.
_DISTINCTIVE_LENGTH = 5
# Telephone numbers share their first digits; a short stem finds all of them in one search.
_LONGEST_STEM = 8


@dataclass(frozen=True, slots=True)
class Leak:
    """A canary word in a forbidden place, in one of its forms."""

    place: str
    offset: int
    word: str

    def __str__(self) -> str:
        return f"{self.place}: {self.word!r} at {self.offset}"


def leaks_in_text(text: str, place: str, words: Iterable[str] = (*SECRETS, *BUYERS)) -> list[Leak]:
    """Return the canary words found in a text; offsets count bytes of its UTF-8."""
    return leaks_in(text.encode("utf-8", "backslashreplace"), place, words)


def leaks_in(data: bytes, place: str, words: Iterable[str] = (*SECRETS, *BUYERS)) -> list[Leak]:
    """Return the canary words found in some bytes, in any form."""
    search = _search_for(tuple(words))
    if not any(stem in data for stem in search.stems):
        return []
    return [
        Leak(place, match.start(), search.words[match[0]])
        for match in search.pattern.finditer(data)
    ]


def leaks_below(folder: Path) -> list[Leak]:
    """Return secrets and buyers in all files below a folder, except secrets in MAY_HOLD_SECRETS."""
    return [leak for file in files_below(folder) for leak in _leaks_in_file(file)]


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder once, without symbolic links."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _leaks_in_file(file: Path) -> list[Leak]:
    words = BUYERS if file.name.endswith(MAY_HOLD_SECRETS) else (*SECRETS, *BUYERS)
    try:
        data = file.read_bytes()
    except OSError:  # removed meanwhile, or unreadable: then it is no leak either
        return []
    return leaks_in(data, str(file), words) if data.strip(b"\0") else []


@dataclass(frozen=True, slots=True)
class _Search:
    """A search in two stages: every match of the slow `pattern` contains one of the `stems`."""

    stems: frozenset[bytes]
    pattern: re.Pattern[bytes]
    words: Mapping[bytes, str]
    """The canary word of each form."""


@cache
def _search_for(words: tuple[str, ...]) -> _Search:
    word_of = {form: word for word in words for form in forms(word)}
    longest_first = sorted(word_of, key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, longest_first)))
    return _Search(frozenset(stem for word in words for stem in _stems(word)), pattern, word_of)


def forms(word: str) -> set[bytes]:
    """Return the ways to write a word: plain, in JSON, by `ascii()`, in a URL, in a mail.

    Secrets also in base64, as a login sends them.
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
    """Yield what all forms of a word contain: letters that no form encodes; and its base64."""
    runs: list[str] = re.findall("[A-Za-z0-9]+", word)
    stem = next((run for run in runs if len(run) >= _DISTINCTIVE_LENGTH), max(runs, key=len))
    yield stem[:_LONGEST_STEM].encode()
    if MARK in word:
        yield from _in_base64(word.encode())


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Yield the base64 of `plain` that does not depend on its neighbours, for each alignment.

    Base64 encodes groups of three bytes, so the result depends on where in a group it begins.
    """
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + plain)
        first, end = -(-offset * 4 // 3), (offset + len(plain)) // 3 * 4
        yield encoded[first:end]
