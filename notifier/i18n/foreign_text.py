"""Foreign text made fit to be shown: titles, numbers and names somebody else has typed.

Whatever a seller or a carrier writes ends up in mails, files and headers that people trust. So it
is one short line of visible characters before anything else happens to it, and in a mail body it
carries no address that a mail program would turn into a link.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Characters of one field; nothing longer helps anybody to find a parcel."""

_ELLIPSIS = "…"
_JOINER = "\u200d"
# Controls, formats (bidi overrides and zero-width characters among them), surrogates, and what is
# no character at all (HTML has no way to write U+FDD0).
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})

_HTTP = re.compile(r"(?i)\bhttp(?=s?:)")
_OTHER_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps):(?=[/\\]{2})")
_SHARE = re.compile(r"\\(?=\\)")
# A dot with a word before it and a label of letters behind it, or one in punycode; or after www.
_DOT = re.compile(
    r"(?<=[\w)\]-])[.\u2024\u3002\uff0e\uff61](?=(?:[^\W\d_]{2,}|xn--[\w-]+)(?![\w-]))"
    r"|(?i:(?<=\bwww))[.\u2024\u3002\uff0e\uff61]"
)


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of visible text in NFC, at most `longest` characters; too long ends in an ellipsis.

    Bidi overrides, zero-width and control characters are gone; a joiner stays inside an emoji.
    """
    text = text[: longest * 4]  # a field of 10 MB costs no more than one of 800 characters
    if not text.isprintable():
        text = "".join(_visible(text))
    line = " ".join(unicodedata.normalize("NFC", text).split())
    # A combining mark at the start would join what stands before it: ">" and U+0338 are one sign.
    while line and unicodedata.category(line[0]).startswith("M"):
        line = line[1:].lstrip()
    if len(line) <= longest:
        return line
    # Without its last dot: mail programs take "www.…" for an address.
    return line[: longest - 1].rstrip(" ." + _JOINER) + _ELLIPSIS


def _visible(text: str) -> list[str]:
    """The characters of `text` that may be shown, every kind of white space as a space."""
    kept = []
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if category in _SPACES or character in "\t\n\v\f\r\x85":
            kept.append(" ")
        elif category not in _INVISIBLE or (character == _JOINER and _in_emoji(text, index)):
            kept.append(character)
    return kept


def _in_emoji(text: str, index: int) -> bool:
    """Whether the joiner at `index` stands between two parts of one emoji."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    return bool(
        before
        and after
        and (unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f")
        and unicodedata.category(after) == "So"
    )


def storable(text: str) -> str:
    """The same with what no database takes (NUL, lone surrogates) replaced by question marks."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def defang(text: str) -> str:
    """Cleaned text in which mail programs find no address to link.

    "https" becomes "hxxps", and a dot that could be in a host name gets a space behind it, which
    is also what a title that lacks one ("10 kom.bela") wants.
    """
    text = _OTHER_SCHEME.sub(": ", _HTTP.sub("hxxp", text))
    return _DOT.sub(". ", _SHARE.sub(r"\\ ", text))


def folded(text: str) -> str:
    """For comparing what two programs wrote: neither case nor spaces nor forms of letters count."""
    return clean(unicodedata.normalize("NFKC", text).casefold())


def foreign(text: str) -> str:
    """Somebody else's text, ready for a mail body: cleaned and defanged, at most `LONGEST`."""
    return clean(defang(clean(text)))
