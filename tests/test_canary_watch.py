"""The watch for secrets and buyers sees them wherever a test leaves them."""

from __future__ import annotations

import base64
import json
import quopri
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.canaries import BUYERS, CLIENT_ID, MARK, leaks_in

ROOT = Path(__file__).parents[1]
HEAD = "import logging, pathlib\nfrom tests.canaries import BUYERS, CLIENT_ID\n"


def watched(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A session of one test, watched as ours are."""
    suite = folder / "suite"
    suite.mkdir()
    (suite / "pytest.ini").write_text("[pytest]\n")
    (suite / "test_one.py").write_text(f"{HEAD}def test_one(tmp_path):\n    {body}\n")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.canary_watch"),
            *("-p", "no:cacheprovider", "--basetemp", str(suite / "temporary"), str(suite)),
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("(tmp_path / 'a.db-wal').write_bytes(bytes(99) + CLIENT_ID.encode())", "a.db-wal: "),
        ("(tmp_path / 'config.toml').write_text(BUYERS[0])", "config.toml: "),
        ("print('hello', BUYERS[1])", "test_one, Captured stdout call: "),
        ("logging.getLogger('any').warning('x', extra={'a': CLIENT_ID})", "log of any: "),
        ("try: raise OSError(CLIENT_ID)\n    except OSError: logging.exception('x')", "of root: "),
    ],
)
def test_a_session_that_leaks_fails_and_says_where(tmp_path: Path, body: str, place: str) -> None:
    ended = watched(tmp_path, body)

    assert "1 passed" in ended.stdout
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert place in ended.stdout
    for file in (tmp_path / "suite" / "temporary").rglob("*.*"):
        file.unlink()  # or this session would fail as well


def test_a_leak_in_a_parallel_worker_fails_the_session(tmp_path: Path) -> None:
    ended = watched(tmp_path, "print(CLIENT_ID)", "-n", "1")

    assert "1 passed" in ended.stdout
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_one, Captured stdout call: " in ended.stdout


def test_a_session_passes_with_a_secret_where_it_belongs(tmp_path: Path) -> None:
    ended = watched(tmp_path, "(tmp_path / 'config.toml').write_text(CLIENT_ID)")

    assert ended.returncode == pytest.ExitCode.OK, ended.stdout
    assert "must not be" not in ended.stdout


@pytest.mark.parametrize("word", [CLIENT_ID, *BUYERS])
def test_a_word_is_seen_in_every_form(word: str) -> None:
    shapes = [
        *(word.encode(), json.dumps({"a": word}).encode(), f"{word!a}".encode()),
        *(quote(word).encode(), urlencode({"a": word}).encode()),
        quopri.encodestring(word.encode(), quotetabs=False),
    ]

    assert [shape for shape in shapes if not leaks_in(shape, "here")] == []


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_secret_is_seen_in_base64(before: str) -> None:
    login = base64.b64encode(f"{before}{CLIENT_ID}and more".encode())

    assert [leak.word for leak in leaks_in(login, "here")] == [MARK]
