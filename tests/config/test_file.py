"""Writing TOML: whatever goes in comes out again, and nobody's file is overwritten."""

from __future__ import annotations

import stat
import tomllib
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.config.file import config_text, write_private
from notifier.config.toml import toml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.one_of(TEXTS, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.lists(TEXTS)))
def test_a_value_written_is_the_value_read_and_stays_on_its_line(
    value: str | int | bool | list[str],
) -> None:
    written = toml(value)

    assert tomllib.loads(f"value = {written}\nnext = 1") == {"value": value, "next": 1}
    assert len(written.splitlines()) == 1


def test_a_time_is_written_as_the_options_want_it() -> None:
    assert toml(time(6, 5)) == '"06:05"'


def test_a_fresh_file_has_its_options_in_their_tables_each_below_its_sentence() -> None:
    tree = {
        "accounts": {"ljubljana": {"place": {"name": "B"}, "recipients": ['"Novak, J" <j@x.si>']}},
        "smtp": {"port": 465},
        "admin": "Jana",
    }

    text = config_text(tree)

    assert tomllib.loads(text) == tree
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        'admin = "Jana"',
        "[smtp]",
        "port = 465",
        "[accounts.ljubljana]",
        'recipients = ["\\"Novak, J\\" <j@x.si>"]',
        "[accounts.ljubljana.place]",
        'name = "B"',
    ]
    assert '# By default 465; 587 with tls = "starttls", 25 with "none".\nport = 465' in text


def test_a_file_is_written_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"

    write_private(file, b"admin = 1\n", replace=False)

    assert file.read_text(encoding="utf-8") == "admin = 1\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o644)

    with pytest.raises(FileExistsError):
        write_private(file, b"new", replace=False)
    assert file.read_text(encoding="utf-8") == "old"
    write_private(file, b"new", replace=True)

    assert file.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_where_nothing_can_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()

    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "config.toml", b"new", replace=True)
    with pytest.raises(FileNotFoundError):
        write_private(tmp_path / "no" / "config.toml", b"new", replace=False)

    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
