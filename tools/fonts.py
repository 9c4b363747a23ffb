"""Reduce the fonts of the printed sheet to European letters; run it once per font version.

    pip install fonttools
    python -m tools.fonts /usr/share/fonts/truetype/dejavu      # Debian: fonts-dejavu-core

The standard fonts of PDF have neither "č" nor "ő". DejaVu Sans has both, but needs 750 kB per
weight; with only Latin, Greek, Cyrillic and punctuation it needs 50 kB. Its licence permits changed
copies that carry the notice, which is read from the font itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "notifier" / "mail" / "attachments" / "fonts"
NAMES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
# The id of the licence text in a font's `name` table (OpenType specification).
LICENCE = 13

LETTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x250),  # Latin
    *range(0x2C6, 0x2DE),
    *range(0x384, 0x3CF),  # Greek
    *range(0x400, 0x460),  # Cyrillic
    *range(0x2010, 0x2028),  # dashes, quotes, ellipsis
    *(0x2030, 0x2032, 0x2033, 0x2039, 0x203A, 0x20AC, 0x2116, 0x2122),
    *(0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2260, 0x2264, 0x2265, 0x25A1),
)


def cut(source: Path, target: Path) -> str:
    """Write a font with only LETTERS; return its licence."""
    font = TTFont(source, recalcTimestamp=False)
    licence = font["name"].getDebugName(LICENCE) or ""
    options = Options(hinting=False, layout_features=[], notdef_outline=True)
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    font.save(target)
    return licence


def main(folder: Path) -> None:
    """Reduce both weights and write the licence beside them."""
    FOLDER.mkdir(exist_ok=True)
    licences = {cut(folder / name, FOLDER / name) for name in NAMES}
    text = "\n".join(licences).replace("\r\n", "\n").strip()
    (FOLDER / "LICENSE").write_text(f"{text}\n", encoding="utf-8")
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
