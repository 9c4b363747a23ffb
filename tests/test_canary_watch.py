"""The canary watch finds secrets and buyers wherever a test leaves them."""

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


def run_watched(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a session of one test under the canary watch."""
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


@pytest.mark.slow
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
def test_a_session_that_leaks_fails_and_names_the_place(
    tmp_path: Path, body: str, place: str
) -> None:
    session = run_watched(tmp_path, body)

    assert "1 passed" in session.stdout
    assert session.returncode == pytest.ExitCode.TESTS_FAILED
    assert place in session.stdout
    for file in (tmp_path / "suite" / "temporary").rglob("*.*"):
        file.unlink()  # or the session that runs this test would fail as well


@pytest.mark.slow
def test_a_leak_in_a_parallel_worker_fails_the_session(tmp_path: Path) -> None:
    session = run_watched(tmp_path, "print(CLIENT_ID)", "-n", "1")

    assert "1 passed" in session.stdout
    assert session.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_one, Captured stdout call: " in session.stdout


@pytest.mark.slow
def test_a_session_with_a_secret_in_the_configuration_passes(tmp_path: Path) -> None:
    session = run_watched(tmp_path, "(tmp_path / 'config.toml').write_text(CLIENT_ID)")

    assert session.returncode == pytest.ExitCode.OK, session.stdout
    assert "forbidden places" not in session.stdout


@pytest.mark.parametrize("word", [CLIENT_ID, *BUYERS])
def test_a_word_is_found_in_every_form(word: str) -> None:
    forms = [
        *(word.encode(), json.dumps({"a": word}).encode(), f"{word!a}".encode()),
        *(quote(word).encode(), urlencode({"a": word}).encode()),
        quopri.encodestring(word.encode(), quotetabs=False),
    ]

    assert [form for form in forms if not leaks_in(form, "here")] == []


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_secret_is_found_in_base64_at_any_offset(before: str) -> None:
    login = base64.b64encode(f"{before}{CLIENT_ID}and more".encode())

    assert [leak.word for leak in leaks_in(login, "here")] == [MARK]
