"""docs/configuration.md tells of every option what the schema says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from notifier import config
from notifier.config.options import options
from notifier.config.toml import Where, toml

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "configuration.md").read_text(encoding="utf-8")
OPTIONS = list(options(lambda table: ["ID" if table == ("accounts",) else "NAME"]))


def default(option: FieldInfo) -> str:
    if option.is_required():
        return "required"
    return "" if option.default is None else f"`{toml(option.default)}`"


@pytest.mark.parametrize(("where", "option"), OPTIONS, ids=[str(where) for where, _ in OPTIONS])
def test_every_option_is_in_the_table_of_its_section(where: Where, option: FieldInfo) -> None:
    table = ".".join(str(part) for part in where[:-1])
    section = TEXT.partition(f"## `[{table}]`" if table else "## At the top")[2].partition("\n## ")[
        0
    ]

    assert f"| `{where[-1]}` | {default(option)} | {option.description} |" in section


@pytest.mark.parametrize("page", ["configuration.md", "recipients.md"])
def test_the_examples_of_the_pages_are_right(tmp_path: Path, page: str) -> None:
    for name in ("client-id", "smtp-password"):
        (tmp_path / name).write_text("secret", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    text = (DOCS / page).read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    if "admin" not in tomllib.loads(text):
        text = 'admin = "a@example.com"\nsmtp = { host = "h", from = "a@example.com" }\n' + text

    assert config.parse(text, tmp_path / "config.toml", environ={}).accounts
