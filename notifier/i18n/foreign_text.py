"""Cleaning of foreign text: titles, numbers and names typed by sellers, carriers and others.

Such text appears in mails, files and headers that people trust. So it is reduced to one short line
of visible characters first, and in a mail body it must not contain anything that a mail program
turns into a link.
"""

from __future__ import annotations

import re
import unicodedata

# A longer field does not help to find a parcel, and many such fields make a mail unreadable.
MAX_LENGTH = 200
"""Most characters of one field."""

_ELLIPSIS = "…"
_JOINER = "\u200d"
# Controls, formats (such as bidi overrides and zero-width characters), surrogates, private use and
# non-characters (HTML cannot represent U+FDD0).
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})

# "hxxp" is the customary spelling of a URL that nobody should follow.
_HTTP = re.compile(r"(?i)\bhttp(?=s?:)")
_OTHER_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps):(?=[/\\]{2})")
# Windows programs link `\\server\share` too, and send the reader's login to that server.
_SHARE = re.compile(r"\\(?=\\)")
# A dot after a word and before a label of letters or punycode, or after "www". A number such as
# "19.90" keeps its dot. Three of the other characters count as dots in host names (RFC 3490, 3.1),
# and the compatibility form of U+2024 is a dot.
_DOT = re.compile(
    r"(?<=[\w)\]-])[.\u2024\u3002\uff0e\uff61](?=(?:[^\W\d_]{2,}|xn--[\w-]+)(?![\w-]))"
    r"|(?i:(?<=\bwww))[.\u2024\u3002\uff0e\uff61]"
)


def clean(text: str, longest: int = MAX_LENGTH) -> str:
    """Return one line of visible text in NFC, cut to `longest` characters with an ellipsis.

    Bidi overrides, zero-width and control characters are removed, except a joiner in an emoji.
    """
    # Limits the work for a field of 10 MB, and leaves room for characters that are taken out.
    text = text[: longest * 4]
    if not text.isprintable():
        text = "".join(_visible(text))
    line = " ".join(unicodedata.normalize("NFC", text).split())
    # A combining mark at the start would change the character before it: ">" and U+0338 become "≯".
    while line and unicodedata.category(line[0]).startswith("M"):
        line = line[1:].lstrip()
    if len(line) <= longest:
        return line
    # Without its last dot: mail programs take "www.…" for an address.
    return line[: longest - 1].rstrip(" ." + _JOINER) + _ELLIPSIS


def _visible(text: str) -> list[str]:
    kept = []
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        # Line breaks are of category Cc, but without a space two words would become one.
        if category in _SPACES or character in "\t\n\v\f\r\x85":
            kept.append(" ")
        elif category not in _INVISIBLE or (character == _JOINER and _in_emoji(text, index)):
            kept.append(character)
    return kept


def _in_emoji(text: str, index: int) -> bool:
    """Return whether the joiner at `index` connects two parts of one emoji."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    return bool(
        before
        and after
        and (unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f")
        and unicodedata.category(after) == "So"
    )


def storable(text: str) -> str:
    """Replace NUL and lone surrogates by question marks."""
    # PostgreSQL refuses NUL in text, and no driver can encode a lone surrogate as UTF-8.
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def defang(text: str) -> str:
    """Change cleaned text so that mail programs find nothing to link.

    "https" becomes "hxxps", and a dot that may be part of a host name is followed by a space.
    """
    text = _OTHER_SCHEME.sub(": ", _HTTP.sub("hxxp", text))
    return _DOT.sub(". ", _SHARE.sub(r"\\ ", text))


def folded(text: str) -> str:
    """Return a key that ignores case, runs of spaces and compatibility forms of letters."""
    # NFKC, since one program may write "ﬁ" or a full-width digit, and the other "fi" or "1".
    return clean(unicodedata.normalize("NFKC", text).casefold())


def foreign(text: str) -> str:
    """Return foreign text for a mail body: cleaned, defanged, at most `MAX_LENGTH` characters."""
    # Cleaned first, since a zero-width space would hide a host name from `defang`; and again, since
    # `defang` makes the text longer.
    return clean(defang(clean(text)))
