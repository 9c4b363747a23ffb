"""Write all golden files again."""

from __future__ import annotations

from tests.mail.golden import FOLDER, golden_files

for file, content in golden_files():
    (FOLDER / file).write_text(content, encoding="utf-8")
