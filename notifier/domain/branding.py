"""The colours and the logo of an account's mails, and how readable one colour is on another."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER_COLOR = "#12404f"
LINK_COLOR = "#0a5c91"


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture embedded in each mail; `subtype` as in `image/png`."""

    subtype: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Branding:
    """The colours of an account's mails, as #rrggbb, and its logo."""

    header: str = HEADER_COLOR
    link: str = LINK_COLOR
    logo: Logo | None = None


def contrast_of(one: str, other: str) -> float:
    """Return the contrast of two colours written as #rrggbb, from 1 (the same) to 21.

    Raises ValueError for any other text.
    """
    return contrast(_rgb(one), _rgb(other))


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the contrast of two colours of red, green and blue from 0 to 255."""
    # WCAG 2.2, "contrast ratio" and "relative luminance". The 0.05 stands for light that a screen
    # reflects; it also keeps black from dividing by zero.
    darker, lighter = sorted((_luminance(*one), _luminance(*other)))
    return (lighter + 0.05) / (darker + 0.05)


def _rgb(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def _luminance(red: float, green: float, blue: float) -> float:
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(channel: float) -> float:
    share = channel / 255
    # 0.04045 is the threshold of sRGB (IEC 61966-2-1); older texts of WCAG print 0.03928.
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
