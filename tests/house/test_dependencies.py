"""What the program imports is installed with it; only the extras' own libraries are optional."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = {"aiosmtpd": "demo"}
"""Libraries that only an extra installs; SQLAlchemy itself loads the driver of `postgres`."""

PARTS = {"pydantic_core": "pydantic"}
"""Packages that another one always brings along as a part of itself."""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_-]", one)[0].replace("-", "_").lower() for one in requirements}


def imported_by_the_program() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "notifier").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"notifier"}


def test_every_import_is_a_dependency_or_the_library_of_an_extra() -> None:
    installed = names(PROJECT["dependencies"])
    imported = {PARTS.get(name, name).lower() for name in imported_by_the_program()}

    assert imported - installed == set(OPTIONAL)
    for library, extra in OPTIONAL.items():
        assert library in names(PROJECT["optional-dependencies"][extra])
