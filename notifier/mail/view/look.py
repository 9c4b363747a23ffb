"""What an account's own colours and logo make of the frame of its mails."""

from __future__ import annotations

from dataclasses import dataclass

from notifier.domain.branding import HEADER_COLOR, Branding, contrast_of

LOGO_ID = "logo@ready-to-return.invalid"
"""By this the page calls the logo that comes with it (RFC 2392)."""

_OUR_TEXT = ("#ffffff", "#d3e6ec")
"""Title and small lines of the header band in its own colour; in others both are the same."""


@dataclass(frozen=True, slots=True)
class BrandingView:
    """What the layout prints: colours as #rrggbb."""

    header: str
    title: str
    """The colour of the title in the header band, chosen for its contrast."""
    small: str
    """That of the lines beside it."""
    link: str
    logo: str
    """The address of the logo; empty where there is none."""


def view_branding(look: Branding) -> BrandingView:
    """The frame's colours; text on the header band is white, or black where that is easier to
    read. One of the two always has a contrast of 4.5 or more (WCAG 2.2, 1.4.3).
    """
    title, small = _OUR_TEXT
    if look.header != HEADER_COLOR:
        title = small = _easier_on(look.header)
    return BrandingView(look.header, title, small, look.link, f"cid:{LOGO_ID}" if look.logo else "")


def _easier_on(background: str) -> str:
    return max("#ffffff", "#000000", key=lambda text: contrast_of(text, background))
