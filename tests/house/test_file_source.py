"""The worked examples of docs/file-source.md do what the page says."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from notifier.cli import cli

PAGE = (Path(__file__).parents[2] / "docs" / "file-source.md").read_text(encoding="utf-8")
BASE = """\
admin = "admin@example.com"

[smtp]
host = "smtp.example.com"
from = "parcels@example.com"

"""


def blocks(language: str) -> list[str]:
    """What stands in the page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def the_one(language: str, begins: str) -> str:
    (found,) = (block for block in blocks(language) if block.startswith(begins))
    return found


CONSOLE = [block for block in blocks("") if block.startswith("$ notifier")]
EXAMPLES = [
    pytest.param(file, content, toml, shown, id=file)
    for file, content, toml, shown in zip(
        ("returns.csv", "returns.json"),
        (blocks("csv")[0].encode("cp1250"), blocks("json")[0].encode()),
        blocks("toml"),
        CONSOLE,
        strict=True,
    )
]


@pytest.mark.parametrize(("file", "content", "toml", "shown"), EXAMPLES)
def test_an_example_prints_what_the_page_shows(
    tmp_path: Path, file: str, content: bytes, toml: str, shown: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(BASE + toml, encoding="utf-8")
    (tmp_path / file).write_bytes(content)
    written = datetime.now(UTC).timestamp() - 3600
    os.utime(tmp_path / file, (written, written))
    line, _, expected = shown.partition("\n")

    result = CliRunner().invoke(
        cli, ["--config", str(config), *line.removeprefix("$ notifier ").split()]
    )

    assert (result.exit_code, result.output) == (0, expected)


def test_check_says_what_the_page_shows(tmp_path: Path) -> None:
    config, file = tmp_path / "config.toml", tmp_path / "returns.csv"
    nobody = BASE.replace('"smtp.example.com"', '"127.0.0.1"\nport = 9\ntls = "none"')
    toml = blocks("toml")[0]
    file.write_bytes(blocks("csv")[0].encode("cp1250"))

    def checked(text: str) -> str:
        config.write_text(nobody + text, encoding="utf-8")
        result = CliRunner().invoke(cli, ["--config", str(config), "check", "--online"])
        return result.output.replace(str(tmp_path), "/etc/notifier")

    assert the_one("", "Online") in checked(toml)
    assert the_one("", "Obchod Praha: 5 of 5") in checked(
        toml.replace('date_format = "%d.%m.%Y"\n', "")
    )
