"""The layout shows the design: few modules beside the folders, unique names, no lost page."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "notifier"
FOLDERS = {
    "cli",
    "config",
    "domain",
    "i18n",
    "mail",
    "monitoring",
    "services",
    "simulator",
    "smtp",
    "sources",
    "store",
    "web",
}
LINK = re.compile(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)")


def test_the_program_is_these_folders_and_at_most_eight_modules() -> None:
    folders = {path.parent.name for path in PROGRAM.glob("*/__init__.py")}
    modules = [path.name for path in PROGRAM.glob("*.py")]

    assert folders == FOLDERS
    assert len(modules) <= 8, modules


def test_a_class_name_stands_once_in_the_program() -> None:
    names = Counter(
        node.name.lstrip("_")
        for path in PROGRAM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            links = LINK.findall(page.read_text(encoding="utf-8"))
            ahead.extend((page.parent / link).resolve() for link in links if "://" not in link)

    assert {*(ROOT / "docs").rglob("*.md")} - reached == set()


def test_the_rate_limit_stays_on_one_page() -> None:
    page = PROGRAM / "sources" / "mall" / "rate_limit.py"

    assert len(page.read_text(encoding="utf-8").splitlines()) <= 150
