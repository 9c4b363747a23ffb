"""The gallery shows every mail in every language, light and dark, wide and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.i18n.language import available_languages
from tests.days import DAYS
from tests.mail.golden import OTHERS
from tests.mail.html import parse
from tools.gallery import Mode, every_mail, write


@pytest.mark.slow
def test_the_gallery_shows_every_mail_in_every_language_and_view(tmp_path: Path) -> None:
    mails = list(every_mail(list(available_languages()), [*DAYS, *OTHERS]))

    views = write(tmp_path, mails)

    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert len(views) == len(mails) * len(Mode)
    for view in views:
        assert index.count(f'src="{view.name}"') == 2
    for mail in mails:
        assert f'id="{mail.key}"' in index


def test_only_the_dark_view_applies_the_dark_rules() -> None:
    (mail,) = every_mail(["sl"], ["normal"])

    light, dark = (mail.in_mode(mode) for mode in Mode)

    parse(dark)
    assert "prefers-color-scheme" not in light + dark
    assert "@media not all" in light
    assert "@media all" in dark
