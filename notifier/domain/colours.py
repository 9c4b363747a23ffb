"""How well one colour stands out from another (WCAG 2.2, 1.4.3)."""

from __future__ import annotations


def contrast_of(one: str, other: str) -> float:
    """Return the contrast of two colours written as #rrggbb, from 1 (the same) to 21.

    Raises ValueError for any other text.
    """
    return contrast(_rgb(one), _rgb(other))


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the contrast of two colours of red, green and blue from 0 to 255."""
    darker, lighter = sorted((_luminance(*one), _luminance(*other)))
    return (lighter + 0.05) / (darker + 0.05)


def _rgb(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def _luminance(red: float, green: float, blue: float) -> float:
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: float) -> float:
    share = part / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
