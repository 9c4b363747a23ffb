"""Build a static page with every mail in every language: light and dark, wide and on a phone.

    python -m tools.gallery FOLDER
    python -m tools.gallery FOLDER --language sl --mail normal --screenshots
    python -m tools.gallery docs/images --language en --mail normal --pictures-only --tall 1000

For translators and reviewers: FOLDER/index.html needs no server. In a mail program the reader's
system chooses dark mode; here the mail's dark rules are switched on or off instead. With
--screenshots a headless Chromium also renders each view into a picture.
"""

from __future__ import annotations

import argparse
import html
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from notifier.i18n.language import available_languages
from tests.days import DAYS
from tests.mail.golden import OTHERS, digest_mail

WIDTHS = {"wide": 800, "phone": 360}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TALL = 3000
_DARK_RULES = "@media (prefers-color-scheme: dark)"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Mails</title>
<style>
body {{ margin: 0 auto; max-width: 1240px; padding: 24px; font: 15px/1.5 sans-serif; }}
h2 {{ padding-top: 40px; }}
nav a {{ margin-right: 12px; }}
.views {{ display: flex; flex-wrap: wrap; gap: 16px; }}
figure {{ margin: 0; }}
iframe {{ border: 1px solid #c3ccd5; height: 900px; }}
pre {{ max-width: 800px; padding: 16px; overflow: auto; background: #f4f6f8; }}
</style>
</head>
<body>
<h1>Every mail</h1>
<nav>{links}</nav>
{mails}
</body>
</html>
"""


class Mode(StrEnum):
    """The colour scheme of the reader's system."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class GalleryMail:
    """One mail in one language."""

    name: str
    language: str
    subject: str
    text: str
    html: str

    @property
    def key(self) -> str:
        """The first part of its file names."""
        return f"{self.language}-{self.name}"

    def in_mode(self, mode: Mode) -> str:
        """Return the HTML with the dark rules on or off, independent of the viewer's system."""
        if mode is Mode.LIGHT:
            return self.html.replace(_DARK_RULES, "@media not all")
        return self.html.replace(_DARK_RULES, "@media all").replace("light dark", "dark")


def every_mail(languages: list[str], names: list[str]) -> Iterator[GalleryMail]:
    """Yield each digest day and each other mail in each language."""
    for name in names:
        for language in languages:
            other = OTHERS.get(name)
            rendered, _ = other(language) if other else digest_mail(language, name)
            yield GalleryMail(name, language, rendered.subject, rendered.text, rendered.html)


def write(folder: Path, mails: list[GalleryMail]) -> list[Path]:
    """Write the page and the views of each mail; return the files of the views."""
    folder.mkdir(parents=True, exist_ok=True)
    views = []
    for mail in mails:
        for mode in Mode:
            file = folder / f"{mail.key}-{mode}.html"
            file.write_text(mail.in_mode(mode), encoding="utf-8")
            views.append(file)
    links = "".join(f'<a href="#{mail.key}">{mail.key}</a>' for mail in mails)
    page = PAGE.format(links=links, mails="\n".join(map(_section, mails)))
    (folder / "index.html").write_text(page, encoding="utf-8")
    return views


def _section(mail: GalleryMail) -> str:
    frames = "".join(
        f"<figure><figcaption>{name}, {mode}</figcaption>"
        f'<iframe loading="lazy" sandbox="" width="{width}" src="{mail.key}-{mode}.html" '
        f'title="{mail.key}, {name}, {mode}"></iframe></figure>'
        for name, width in WIDTHS.items()
        for mode in Mode
    )
    return (
        f'<h2 id="{mail.key}">{mail.key}: {html.escape(mail.subject)}</h2>\n'
        f'<div class="views">{frames}</div>\n'
        f"<details><summary>Text part</summary><pre>{html.escape(mail.text)}</pre></details>"
    )


def draw(views: list[Path], tall: int) -> Iterator[Path]:
    """Render the top of each view at each width; exit with a message without Chromium."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("Chromium is not installed (Debian: apt install chromium)")
    for view in views:
        for name, width in WIDTHS.items():
            picture = view.with_name(f"{view.stem}-{name}.png")
            with tempfile.TemporaryDirectory() as profile:
                subprocess.run(
                    [
                        browser,
                        *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                        f"--user-data-dir={profile}",
                        f"--window-size={width},{tall}",
                        f"--screenshot={picture}",
                        view.resolve().as_uri(),
                    ],
                    check=True,
                    capture_output=True,
                )
            yield picture


def main() -> None:
    """Write the page and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", action="append", choices=available_languages())
    parser.add_argument("--mail", action="append", choices=[*DAYS, *OTHERS])
    parser.add_argument("--screenshots", action="store_true", help="also render pictures")
    parser.add_argument("--pictures-only", action="store_true", help="keep only the pictures")
    parser.add_argument("--tall", type=int, default=TALL, help="height of a picture in pixels")
    arguments = parser.parse_args()
    mails = list(
        every_mail(
            arguments.language or list(available_languages()), arguments.mail or [*DAYS, *OTHERS]
        )
    )
    views = write(arguments.folder, mails)
    if arguments.screenshots or arguments.pictures_only:
        for picture in draw(views, arguments.tall):
            print(picture)
    if arguments.pictures_only:
        for file in (*views, arguments.folder / "index.html"):
            file.unlink()
    else:
        print(arguments.folder / "index.html")


if __name__ == "__main__":
    main()
