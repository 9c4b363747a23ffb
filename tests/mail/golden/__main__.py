"""Write all golden files anew."""

from __future__ import annotations

from notifier.i18n.language import available_languages
from tests.days import DAYS
from tests.mail.golden import FOLDER, OTHERS, golden_files

for language in available_languages():
    for name in (*DAYS, *OTHERS):
        for file, content in golden_files(language, name):
            (FOLDER / file).write_text(content, encoding="utf-8")
