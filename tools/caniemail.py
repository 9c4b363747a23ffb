"""Reduce caniemail's data to the mail programs we look at; needed once, for newer data.

    npm pack caniemail && tar xzf caniemail-*.tgz
    python -m tools.caniemail package/data/caniemail.json

The npm package `caniemail` carries what https://www.caniemail.com/api/data.json says; the data are
those of https://github.com/hteumeuleu/caniemail (MIT, its text is kept beside the table). Of every
feature there is left what the newest version of each program does, at its worst platform: "y" for
yes, "a" for partly, "n" for no, "u" for unknown, with the numbers of the notes. Gmail in a phone's
browser stands beside Gmail, since it knows no style sheet at all.
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
"""Each with its family and its platforms there."""

_BEST_FIRST = "yuan"


def reduced(data: dict[str, Any], package: str) -> dict[str, Any]:
    """The table, in the order of the names of the features."""
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
    """What the worst of a program's platforms does, as "n 1 2"."""
    said = [*_newest(stats.get(family, {}), platforms)] or ["u"]
    worst = max((words[0] for words in said), key=_BEST_FIRST.index)
    notes = {n.strip("#") for words in said if words[0] == worst for n in words.split()[1:]}
    return " ".join([worst, *sorted(notes, key=int)])


def _newest(stats: dict[str, Any], platforms: tuple[str, ...]) -> Iterator[str]:
    """Versions stand in order, the newest last."""
    return ([*stats[name].values()][-1] for name in platforms if stats.get(name))


def written(table: dict[str, Any]) -> str:
    """JSON with a feature a line, so that newer data make a difference one can read."""
    features = [f"{json.dumps(slug)}: {_line(told)}" for slug, told in table["features"].items()]
    head = [f'"{name}": {_line(told)}' for name, told in table.items() if name != "features"]
    return "{\n" + ",\n".join([*head, '"features": {\n' + ",\n".join(features) + "\n}"]) + "\n}\n"


def _line(told: object) -> str:
    return json.dumps(told, ensure_ascii=False)


def main(source: Path) -> None:
    """Write the table."""
    package = json.loads((source.parents[1] / "package.json").read_text(encoding="utf-8"))
    data = json.loads(source.read_text(encoding="utf-8"))
    table = reduced(data, f"{package['name']} {package['version']} (npm)")
    TABLE.write_text(written(table), encoding="utf-8")
    print(f"{TABLE.name}: {TABLE.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
