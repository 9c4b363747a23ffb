"""A browser lays out every mail, narrow and wide: nothing is wider than the screen."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.domain.digest import compose
from notifier.domain.reading import Complete
from notifier.i18n.language import available_languages
from notifier.mail.render import Renderer
from tests.days import DAYS
from tests.factories import DAY, NOON, account, mail_options, order, sender, snapshot
from tests.mail.golden import OTHERS
from tools.gallery import BROWSERS, WIDTHS, GalleryMail, Mode, every_mail

BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None, reason="NOT CHECKED: there is no Chromium (Debian: chromium)"
    ),
]

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
{frames}
<pre id="found"></pre>
<script>
addEventListener("load", () => {{
  const found = [];
  for (const frame of document.querySelectorAll("iframe")) {{
    const mail = frame.contentDocument, width = frame.clientWidth;
    const wide = [...mail.querySelectorAll("td, th, b, span, a, h1, h2")].filter(
      (one) => one.getBoundingClientRect().right > width || one.scrollWidth > one.clientWidth + 1
               && getComputedStyle(one).display !== "inline");
    if (mail.documentElement.scrollWidth > width || wide.length)
      found.push([frame.title, mail.documentElement.scrollWidth,
                  ...new Set(wide.map((one) => one.textContent.trim().slice(0, 60)))]);
  }}
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>
"""


def sticks_out(folder: Path, mails: list[GalleryMail]) -> list[list[object]]:
    """List what is wider than its frame: mail, width of the frame and of the page, words."""
    frames = "\n".join(
        f'<iframe title="{mail.key} at {width}" style="border: 0" width="{width}" height="900" '
        f'srcdoc="{html.escape(mail.in_mode(Mode.LIGHT))}"></iframe>'
        for mail in mails
        for width in WIDTHS.values()
    )
    page = folder / "page.html"
    page.write_text(PAGE.format(frames=frames), encoding="utf-8")
    assert BROWSER
    drawn = subprocess.run(
        [
            BROWSER,
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"),
            f"--user-data-dir={folder / 'profile'}",
            "--window-size=1000,2000",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
        text=True,
    ).stdout
    said = re.search(r'<pre id="found">(.*?)</pre>', drawn, re.DOTALL)
    assert said, "the page did not say anything"
    found: list[list[object]] = json.loads(html.unescape(said[1]))
    return found


@pytest.mark.parametrize("language", available_languages())
def test_nothing_in_a_mail_is_wider_than_the_screen(tmp_path: Path, language: str) -> None:
    assert sticks_out(tmp_path, list(every_mail([language], [*DAYS, *OTHERS]))) == []


def test_no_word_however_long_makes_a_mail_wider(tmp_path: Path) -> None:
    endless = "A" * 200
    orders = (
        replace(order(1), number=endless, external_id=endless, tracking_numbers=(endless,)),
        replace(order(2), items=(replace(order(2).items[0], title=endless, sku=endless),)),
    )
    digest = compose(account(), Complete(NOON, orders, candidates=2), snapshot(order(3)), DAY)
    rendered = Renderer().digest(digest, mail_options(account(), "sl"), sender())
    mail = GalleryMail("endless", "sl", rendered.subject, rendered.text, rendered.html)

    assert sticks_out(tmp_path, [mail]) == []
