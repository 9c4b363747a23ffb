"""config.example.toml shows every option, truly; and no damage to it does any."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier import config
from notifier.config.options import options
from notifier.domain.settings import FileAccess, Settings
from notifier.errors import ConfigError

TEXT = (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
SECRET = "canary-secret-of-more-than-32-letters"
ENVIRON = {"NOTIFIER_ACCOUNTS__LJUBLJANA__CLIENT_ID": SECRET}
OPTIONS = dict(options(lambda table: ["ljubljana" if table == ("accounts",) else "warehouse"]))
NEEDS = {
    "username": {"NOTIFIER_SMTP__PASSWORD": SECRET},
    "password": {"NOTIFIER_SMTP__USERNAME": "me"},
    "password_file": {"NOTIFIER_SMTP__USERNAME": "me"},
    "webhook_token": {"NOTIFIER_ACCOUNTS__LJUBLJANA__WEBHOOK_TOKEN": SECRET},
}
FOLLOWS_FROM_OTHERS = {("smtp", "port"), ("store", "path")}
"""Options without a default of their own, of which the example shows what they come to."""


HEADER = re.compile(r"(# )?\[([a-z_.]+)\]")


@dataclass(frozen=True)
class Shown:
    """One option of the example; `index` is its line, counted from 0."""

    where: tuple[str, ...]
    index: int
    optional: bool
    value: Any
    table_is_off: bool
    """Whether even the header of its table is commented out."""


def shown() -> Iterator[Shown]:
    table: tuple[str, ...] = ()
    is_off = False
    for index, line in enumerate(LINES):
        if header := HEADER.fullmatch(line):
            table, is_off = tuple(header[2].split(".")), header[1] is not None
        elif option := re.fullmatch(r"(# )?([a-z_]+) = .+", line):
            value = tomllib.loads(line.removeprefix("# "))[option[2]]
            yield Shown((*table, option[2]), index, option[1] is not None, value, is_off)


SHOWN = list(shown())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with all the files and folders the example names."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("smtp-password", "client-id", "webhook-token", "pickup-password"):
        (tmp_path / name).write_text(SECRET, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def load(folder: Path, text: str = TEXT, **environ: str) -> Settings:
    return config.parse(text, folder / "config.toml", environ={**ENVIRON, **environ})


def test_the_example_shows_every_option_once_and_in_order() -> None:
    assert [one.where for one in SHOWN] == list(OPTIONS)


def test_every_option_has_its_one_comment() -> None:
    for one in SHOWN:
        assert LINES[one.index - 1] == f"# {OPTIONS[one.where].description}"
        before = LINES[one.index - 2]
        assert not before.startswith("#") or HEADER.fullmatch(before)


def test_it_loads_as_it_is_but_for_the_credential(folder: Path) -> None:
    assert list(load(folder).accounts) == ["ljubljana"]
    with pytest.raises(ConfigError, match="client_id: is missing"):
        config.parse(TEXT, folder / "config.toml", environ={})


@pytest.mark.parametrize(
    "one",
    [one for one in SHOWN if one.optional and not one.table_is_off],
    ids=lambda one: ".".join(one.where),
)
def test_the_hash_can_be_taken_away_and_a_default_stays_what_it_was(
    folder: Path, one: Shown
) -> None:
    lines = [*LINES]
    lines[one.index] = lines[one.index].removeprefix("# ")

    loaded = load(folder, "\n".join(lines), **NEEDS.get(one.where[-1], {}))

    overrides = one.where[0] == "accounts" and ("digest", one.where[-1]) in OPTIONS
    option = OPTIONS["digest", one.where[-1]] if overrides else OPTIONS[one.where]
    if option.default is not None or one.where in FOLLOWS_FROM_OTHERS:
        assert loaded == load(folder)


def test_what_must_be_written_is_not_commented_out() -> None:
    required = {where for where, option in OPTIONS.items() if option.is_required()}

    assert required <= {one.where for one in SHOWN if not one.optional or one.table_is_off}


FILE = [one for one in SHOWN if one.table_is_off]
STATE = {"location", "ready", "ready_values"}
FILE_NEEDS = {
    "location_file": {"location_file"},
    "ready": STATE,
    "ready_values": STATE,
    "collected_values": STATE | {"collected_values"},
}


@pytest.mark.parametrize("one", FILE, ids=lambda one: ".".join(one.where[2:]))
def test_a_file_can_take_the_place_of_the_marketplace(tmp_path: Path, one: Shown) -> None:
    name = one.where[-1]
    wanted = FILE_NEEDS.get(name, {"location", name}) | {"id"}
    taken = {other.index for other in FILE if other.where[-1] in wanted}
    text = "\n".join(
        line.removeprefix("# ") if index in taken or HEADER.fullmatch(line) else line
        for index, line in enumerate(LINES)
        if not line.startswith("client_id")
    )
    if name == "records":
        text = text.replace("orders.csv", "orders.json")
    for secret in ("orders-address", "smtp-password"):
        (tmp_path / secret).write_text("https://example.com/orders.csv", encoding="utf-8")
        (tmp_path / secret).chmod(0o600)

    loaded = config.parse(text, tmp_path / "config.toml", environ={})

    assert isinstance(loaded.accounts["ljubljana"].access, FileAccess)


DAMAGED = TEXT.replace("# client_id =", "client_id =").replace('"…"', f'"{SECRET}"').encode()
"""The example with a secret written out, as bytes to damage."""


def check_damaged(folder: Path, content: bytes) -> None:
    """Load it from a file; if it is refused, then in single lines and without the secret."""
    file = folder / "config.toml"
    file.write_bytes(content)
    file.chmod(0o600)
    found = _refused(file)
    assert SECRET not in "".join(found)
    assert [problem for problem in found if len(problem.splitlines()) != 1] == []


def _refused(file: Path) -> list[str]:
    try:
        config.load(file, environ={})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


thoroughly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@thoroughly
@given(length=st.integers(0, len(DAMAGED)))
def test_no_beginning_of_it_does_more_than_be_refused(tmp_path: Path, length: int) -> None:
    check_damaged(tmp_path, DAMAGED[:length])


@thoroughly
@given(index=st.integers(0, len(DAMAGED) - 1), byte=st.integers(0, 255))
def test_no_wrong_byte_does_more_than_be_refused(tmp_path: Path, index: int, byte: int) -> None:
    check_damaged(tmp_path, DAMAGED[:index] + bytes([byte]) + DAMAGED[index + 1 :])


@thoroughly
@given(st.text(alphabet="[]{}=\"'#.,\\\n\t -+019aeinfsu_é\u202e\x00"))
def test_nothing_that_looks_like_toml_does_more_than_be_refused(tmp_path: Path, text: str) -> None:
    check_damaged(tmp_path, text.encode())
