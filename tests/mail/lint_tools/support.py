"""Which mail programs lack which CSS, as caniemail.com measured it between 2019 and 2026.

It lists what differs between the programs below and changes what can be read;
`tests/mail/test_caniemail.py` compares it with the data. "Gmail" means Gmail accounts on its site
and in its apps: with other accounts the apps ignore style sheets, and so does its site on a phone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tests.mail.lint_tools.css import Declaration


class Program(StrEnum):
    """The mail programs we look at."""

    GMAIL = "Gmail"
    OUTLOOK = "Outlook for Windows"
    """The versions that draw with Word, 2007 to 2019 and later."""
    OUTLOOK_COM = "outlook.com"
    APPLE_MAIL = "Apple Mail"
    THUNDERBIRD = "Thunderbird"


class Fallback(StrEnum):
    """A replacement for a property that some program does not support."""

    NONE = "none"
    BEFORE = "a plainer value of the same property before it"
    COLOUR = "a background colour beside it"
    OUTLOOK_TABLE = "a table for Outlook alone around it"
    MSO_HIDE = "mso-hide beside it"


@dataclass(frozen=True, slots=True)
class Feature:
    """A property, or certain values of it. `names` and `values` match as a whole."""

    name: str
    names: re.Pattern[str]
    lacking: tuple[Program, ...]
    instead: str
    degrades: bool = False
    """Whether the mail reads just as well without it."""
    values: re.Pattern[str] = re.compile(r"(?s).*")
    fallback: Fallback = Fallback.NONE
    tags: frozenset[str] = frozenset()
    """The elements that lack it; empty if all do."""

    def is_in(self, declaration: Declaration, tag: str = "") -> bool:
        """Whether a declaration needs it; `tag` is empty if the element is not known."""
        return bool(
            (not self.tags or tag in self.tags)
            and self.names.fullmatch(declaration.name)
            and self.values.fullmatch(declaration.value.lower())
        )


_GMAIL, _OUTLOOK, _COM = Program.GMAIL, Program.OUTLOOK, Program.OUTLOOK_COM
_APPLE, _THUNDERBIRD = Program.APPLE_MAIL, Program.THUNDERBIRD
_BLOCKS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol"})
_INLINE = frozenset({"a", "b", "strong", "i", "em", "small", "span"})
_ANY = re.compile(r"(?s).*")


def _named(*names: str) -> re.Pattern[str]:
    return re.compile("|".join(names))


def _value(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?s){pattern}")


FEATURES = (
    Feature(
        "position",
        _named("position"),
        (_GMAIL, _OUTLOOK, _COM),
        "place it with the cells and paddings of a table",
        values=_value("(?!static).*"),
    ),
    Feature(
        "float",
        _named("float"),
        (_OUTLOOK,),
        'use cells of a table, or align="left" of a table or an image',
        values=_value("(?!none).*"),
    ),
    Feature(
        "display: flex",
        _named("display"),
        (_OUTLOOK,),
        "use cells of a table",
        values=_value("(inline-)?flex.*"),
    ),
    Feature(
        "display: grid",
        _named("display"),
        (_OUTLOOK,),
        "use cells of a table",
        values=_value("(inline-)?grid.*"),
    ),
    Feature(
        "the columns of a grid",
        _named("grid-template(-.*)?"),
        (_GMAIL, _OUTLOOK, _COM),
        "use cells of a table",
    ),
    Feature(
        "the direction of a flex",
        _named("flex-(direction|wrap|flow)", "align-items", "justify-content"),
        (_GMAIL, _OUTLOOK),
        "use cells of a table",
    ),
    Feature(
        "gap",
        _named("(row-|column-|grid-)?gap"),
        (_GMAIL, _OUTLOOK, _COM),
        "use the padding of cells",
    ),
    Feature(
        "display: none",
        _named("display"),
        (_OUTLOOK,),
        "write mso-hide: all beside it",
        values=_value("none"),
        fallback=Fallback.MSO_HIDE,
    ),
    Feature(
        "display: block",
        _named("display"),
        (_OUTLOOK,),
        "write <br> where a new line begins",
        degrades=True,
        values=_value("block"),
        tags=_INLINE,
    ),
    Feature(
        "padding outside of cells",
        _named("padding(-.*)?"),
        (_OUTLOOK,),
        "write a margin, or put it into a cell",
        degrades=True,
        values=_value("(?!0(px)?$).*"),
        tags=_BLOCKS,
    ),
    Feature(
        "visibility",
        _named("visibility"),
        (_GMAIL, _OUTLOOK),
        "leave the element out",
        values=_value("(?!visible).*"),
    ),
    Feature(
        "a logical property",
        _named(
            "(margin|padding|border)-(inline|block)(-.*)?",
            "((min|max)-)?(inline|block)-size",
            "inset(-.*)?",
        ),
        (_GMAIL, _OUTLOOK, _COM),
        "write top, right, bottom and left",
    ),
    Feature(
        "a background image",
        _named("background(-image)?"),
        (_OUTLOOK,),
        "add a background-color on which the text can be read",
        values=_value(r".*\burl\(.*"),
        fallback=Fallback.COLOUR,
    ),
    Feature(
        "a gradient",
        _named("background(-image)?"),
        (_OUTLOOK, _COM),
        "add a background-color on which the text can be read",
        values=_value(r".*gradient\(.*"),
        fallback=Fallback.COLOUR,
    ),
    Feature(
        "max-width",
        _named("max-width"),
        (_OUTLOOK,),
        "write a width, or put a table of that width around it, in <!--[if mso]>",
        fallback=Fallback.OUTLOOK_TABLE,
        values=_value("(?!none).*"),
    ),
    Feature(
        "min-width",
        _named("min-width"),
        (_OUTLOOK,),
        "write a width",
        degrades=True,
    ),
    Feature(
        "object-fit",
        _named("object-(fit|position)"),
        (_OUTLOOK,),
        "cut the image to the size in which it is shown",
    ),
    Feature(
        "a variable",
        _named("--.*"),
        (_GMAIL, _OUTLOOK, _COM),
        "write the value where it is used",
        degrades=True,  # var() is reported where it matters
    ),
    Feature(
        "var()",
        _ANY,
        (_GMAIL, _OUTLOOK, _COM),
        "write the value itself",
        values=_value(r".*\bvar\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "calc()",
        _ANY,
        (_OUTLOOK, _COM),
        "write a length, or before it a declaration with one",
        values=_value(r".*\bcalc\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "min(), max() or clamp()",
        _ANY,
        (_OUTLOOK, _COM),
        "write a length, or before it a declaration with one",
        values=_value(r"(.*[\s,(])?(min|max|clamp)\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "a length in rem, or in parts of the window",
        _ANY,
        (_OUTLOOK,),
        "write pixels, or before it a declaration with them",
        values=_value(r".*(?<![\w#.])\d{0,5}\.?\d{1,5}(rem|ch|vw|vh|vmin|vmax)\b.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "light-dark()",
        _ANY,
        (_GMAIL, _OUTLOOK, _COM),
        "write the colour itself, and the dark one in @media (prefers-color-scheme: dark)",
        values=_value(r".*\blight-dark\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "a colour of lch() or lab()",
        _ANY,
        (_GMAIL, _OUTLOOK, _COM, _THUNDERBIRD),
        "write it as #rrggbb",
        values=_value(r".*\b(ok)?(lch|lab)\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "a transparent colour",
        _ANY,
        (_OUTLOOK,),
        "write the colour as it looks on its background, such as #e2e8ee",
        values=_value(r".*\b(rgba|hsla)\(.*"),
        fallback=Fallback.BEFORE,
    ),
    Feature(
        "transform",
        _named("transform(-.*)?"),
        (_GMAIL, _OUTLOOK, _COM),
        "do without",
    ),
    Feature(
        "border-radius",
        _named("border-(.*-)?radius"),
        (_OUTLOOK,),
        "nothing to do: the corners are square there",
        degrades=True,
    ),
    Feature(
        "a shadow",
        _named("box-shadow"),
        (_GMAIL, _OUTLOOK),
        "nothing to do: it is only decoration",
        degrades=True,
    ),
    Feature(
        "a shadow of text",
        _named("text-shadow"),
        (_GMAIL, _OUTLOOK, _COM),
        "nothing to do if it can be read without",
        degrades=True,
    ),
    Feature(
        "opacity",
        _named("opacity"),
        (_OUTLOOK,),
        "nothing to do if it can be read without",
        degrades=True,
    ),
    Feature(
        "filter",
        _named("filter"),
        (_GMAIL, _OUTLOOK, _COM),
        "nothing to do if it can be read without",
        degrades=True,
    ),
    Feature(
        "an animation",
        _named("animation(-.*)?"),
        (_GMAIL, _OUTLOOK, _COM, _THUNDERBIRD),
        "nothing to do if it can be understood standing still",
        degrades=True,
    ),
    Feature(
        "a transition",
        _named("transition(-.*)?"),
        (_GMAIL, _OUTLOOK, _COM),
        "nothing to do if it can be understood standing still",
        degrades=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Selecting:
    """A feature of selectors; `written` finds it in one."""

    name: str
    written: re.Pattern[str]
    lacking: tuple[Program, ...]
    instead: str
    degrades: bool = True


SELECTORS = (
    Selecting(
        ":hover",
        re.compile(r"(?i):hover\b"),
        (_GMAIL, _OUTLOOK, _COM),
        "nothing to do if it shows no information of its own",
    ),
    Selecting(
        ":focus, :active or :visited",
        re.compile(r"(?i):(focus|active|visited)\b"),
        (_GMAIL, _OUTLOOK, _COM, _APPLE),
        "nothing to do if it shows no information of its own",
    ),
    Selecting(
        "a selector by place, as :first-child",
        re.compile(r"(?i):(first|last|nth|only)-(last-)?(child|of-type)\b"),
        (_GMAIL, _OUTLOOK, _COM),
        "add a class to the element",
    ),
    Selecting(
        "::before or ::after",
        re.compile(r"(?i)::?(before|after)\b"),
        (_GMAIL, _OUTLOOK, _COM),
        "write it into the mail itself",
        degrades=False,
    ),
    Selecting(
        "a selector of several names, as .a.b",
        re.compile(r"[\w-][.#][\w-]"),
        (_OUTLOOK, _COM),
        "add a class of its own to the element",
    ),
)
"""Features of selectors; inline styles work without them."""

LACK_MEDIA = (_OUTLOOK, _THUNDERBIRD)
"""Programs that ignore styles in @media."""

LACK_AT_RULES = {"supports": (_GMAIL, _OUTLOOK, _COM, _THUNDERBIRD)}
LACK_OTHER_AT_RULES = (_GMAIL, _OUTLOOK, _COM)
"""Programs that ignore styles in at-rules other than @media and @charset."""

SPACED_COLOUR = re.compile(r"(?i)\b(?:rgb|hsl)a?\(\s*[\d.]+[a-z%]*\s+[\d.]")
"""A colour without commas; Gmail drops the whole attribute or style element with it."""

MOST_STYLE_BYTES = 16 * 1024
"""Gmail drops style sheets beyond this size."""
