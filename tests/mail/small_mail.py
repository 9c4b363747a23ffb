"""A small mail with two orders and nothing wrong, to be changed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from notifier.mail.lint import Expected
from notifier.mail.render import RenderedMail

STYLE = "p { margin: 0; }"
BODY = "<p>4500001 and 4500002 wait: 2 parcels</p>"
HTML = f"""\
<!DOCTYPE html>
<html lang="en">
<head><title>2 parcels</title><style>{STYLE}</style></head>
<body><div style="display:none; mso-hide:all">Oldest: 4500001</div>
{BODY}
</body>
</html>
"""
MAIL = RenderedMail("en", "2 parcels", "Oldest: 4500001", "2 parcels\n4500001\n4500002\n", HTML)
EXPECTED = Expected(
    frozenset({"portal.example", "example.com"}), ("4500001", "4500002"), numbers=("2",)
)


def with_body(html: str) -> RenderedMail:
    """Return the mail with more in its body, on line 5."""
    return replace(MAIL, html=HTML.replace(BODY, BODY + html))


def with_style(css: str) -> RenderedMail:
    """Return the mail with another style sheet."""
    return replace(MAIL, html=HTML.replace(STYLE, css))


# Beginnings of markup, styles and addresses: random text alone rarely reaches their branches.
PIECES = (
    *("<", ">", "</", "/>", "<!", "<!--", "-->", "<![", "<![CDATA[", "]]>", "<?", "&#", "&#x", ";"),
    *("<style>", "</style>", "<script>", "<table>", "<td>", "<th>", "</p>", "<p ", 'style="', '"'),
    *("{", "}", "(", ")", "@media", "@import ", "/*", "*/", "url(", "color:", "#12345", "rgba(1,"),
    *("<a href='", "http://", "https://[", "www.", "lang=", "<html ", "bgcolor=", "'", "=", "\x00"),
    *("1" * 5_000, "<title>", "<textarea>", "\ud800", ":", ",", "*", ".", "#", " > ", "!important"),
)
anything = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)
"""Texts that no mail should contain, and that must cause no error."""
