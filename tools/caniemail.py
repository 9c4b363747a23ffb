"""Reduce caniemail's data to the supported mail programs; run it once for newer data.

    npm pack caniemail && tar xzf caniemail-*.tgz
    python -m tools.caniemail package/data/caniemail.json

The npm package `caniemail` contains the data of https://www.caniemail.com/api/data.json, from
https://github.com/hteumeuleu/caniemail (MIT; the licence is kept beside the table). The table keeps
for each feature the support in the newest version of each program, on its worst platform: "y" for
yes, "a" for partly, "n" for no, "u" for unknown, followed by the numbers of notes. Gmail in a
phone's browser is a program of its own, because it supports no style sheets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "tests" / "mail" / "caniemail" / "features.json"

PROGRAMS = {
    "Gmail": ("gmail", ("desktop-webmail", "ios", "android")),
    "Gmail in a phone's browser": ("gmail", ("mobile-webmail",)),
    "Outlook for Windows": ("outlook", ("windows",)),
    "outlook.com": ("outlook", ("outlook-com",)),
    "Apple Mail": ("apple-mail", ("macos", "ios")),
    "Thunderbird": ("thunderbird", ("macos", "windows")),
}
"""The mail programs, each with its family and platforms in caniemail's data."""

_BEST_FIRST = "yuan"


def reduced(data: dict[str, Any], package: str) -> dict[str, Any]:
    """Return the table, sorted by feature name."""
    features = sorted(data["data"], key=lambda feature: str(feature["slug"]))
    return {
        "source": "https://www.caniemail.com/api/data.json",
        "package": package,
        "licence": "MIT, see LICENSE",
        "updated": data["last_update_date"][:10],
        "programs": [*PROGRAMS],
        "features": {feature["slug"]: _feature(feature) for feature in features},
    }


def _feature(feature: dict[str, Any]) -> dict[str, Any]:
    support = [_worst(feature["stats"], *platforms) for platforms in PROGRAMS.values()]
    wanted = {number for words in support for number in words.split()[1:]}
    notes = feature["notes_by_num"] or {}
    kept = {number: notes[number] for number in sorted(wanted & {*notes}, key=int)}
    return {"support": support} | ({"notes": kept} if kept else {})


def _worst(stats: dict[str, Any], family: str, platforms: tuple[str, ...]) -> str:
    """Return the support on a program's worst platform, for example "n 1 2"."""
    supports = [*_newest(stats.get(family, {}), platforms)] or ["u"]
    worst = max((words[0] for words in supports), key=_BEST_FIRST.index)
    notes = {n.strip("#") for words in supports if words[0] == worst for n in words.split()[1:]}
    return " ".join([worst, *sorted(notes, key=int)])


def _newest(stats: dict[str, Any], platforms: tuple[str, ...]) -> Iterator[str]:
    """Return the support in the newest version, which is the last one, on each platform."""
    return ([*stats[name].values()][-1] for name in platforms if stats.get(name))


def as_json(table: dict[str, Any]) -> str:
    """Return JSON with one feature per line, so that a diff of newer data is readable."""
    features = [
        f"{json.dumps(slug)}: {_line(feature)}" for slug, feature in table["features"].items()
    ]
    head = [f'"{name}": {_line(value)}' for name, value in table.items() if name != "features"]
    return "{\n" + ",\n".join([*head, '"features": {\n' + ",\n".join(features) + "\n}"]) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(source: Path) -> None:
    """Write the table from the extracted npm package."""
    package = json.loads((source.parents[1] / "package.json").read_text(encoding="utf-8"))
    data = json.loads(source.read_text(encoding="utf-8"))
    table = reduced(data, f"{package['name']} {package['version']} (npm)")
    TABLE.write_text(as_json(table), encoding="utf-8")
    print(f"{TABLE.name}: {TABLE.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
