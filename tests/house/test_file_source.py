"""The examples of docs/file-source.md print what the page shows."""

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
    """Return the page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def block(language: str, beginning: str) -> str:
    (match,) = (text for text in blocks(language) if text.startswith(beginning))
    return match


CONSOLE = [text for text in blocks("") if text.startswith("$ notifier")]
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
    an_hour_ago = datetime.now(UTC).timestamp() - 3600
    os.utime(tmp_path / file, (an_hour_ago, an_hour_ago))
    line, _, expected = shown.partition("\n")

    result = CliRunner().invoke(
        cli, ["--config", str(config), *line.removeprefix("$ notifier ").split()]
    )

    assert (result.exit_code, result.output) == (0, expected)


@pytest.mark.slow
def test_check_prints_what_the_page_shows(tmp_path: Path) -> None:
    config, file = tmp_path / "config.toml", tmp_path / "returns.csv"
    unreachable = BASE.replace('"smtp.example.com"', '"127.0.0.1"\nport = 9\ntls = "none"')
    toml = blocks("toml")[0]
    file.write_bytes(blocks("csv")[0].encode("cp1250"))

    def output_of_check(text: str) -> str:
        config.write_text(unreachable + text, encoding="utf-8")
        result = CliRunner().invoke(cli, ["--config", str(config), "check", "--online"])
        return result.output.replace(str(tmp_path), "/etc/notifier")

    assert block("", "Online") in output_of_check(toml)
    assert block("", "Obchod Praha: 5 of 5") in output_of_check(
        toml.replace('date_format = "%d.%m.%Y"\n', "")
    )
