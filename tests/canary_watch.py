"""Watch a whole test session for secrets and buyers: its log, its output, and the files it leaves.

A plugin of pytest: `-p tests.canary_watch`, and on for all tests here.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from notifier.logs import JsonLines
from tests.canaries import Leak, leaks_below, leaks_in_text

_FORMAT = JsonLines()
_NAME = "canary watch"
_MOST_LINES = 100


class CanaryWatch:
    """Fails the session when a canary is where it must not be, and says where."""

    def __init__(self) -> None:
        self.leaks: list[Leak] = []
        self._records: list[logging.LogRecord] = []
        self._factory = logging.getLogRecordFactory()
        self.temporary: Path | None = None
        logging.setLogRecordFactory(self._record)

    def _record(self, *args: object, **more: object) -> logging.LogRecord:
        """Keep what is logged until it is complete: `extra` is added to it later."""
        record = self._factory(*args, **more)
        self._records.append(record)
        return record

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Look at what a test has printed and logged."""
        report = yield
        for name, text in report.sections:
            self.leaks += leaks_in_text(text, f"{item.nodeid}, {name}")
        self._look_at_records(item.nodeid)
        return report

    def _look_at_records(self, when: str) -> None:
        records, self._records = self._records, []
        for record in records:
            self.leaks += leaks_in_text(_FORMAT.format(record), f"{when}, log of {record.name}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at the files, while they are there."""
        self._look_at_records("between the tests")
        if self.temporary:
            self.leaks += leaks_below(self.temporary)
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_NAME] = [astuple(leak) for leak in self.leaks]
        if self.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the leaks of a pytest-xdist worker, whose exit status xdist ignores."""
        output = getattr(node, "workeroutput", {})  # a worker that crashed has none
        self.leaks += [Leak(*leak) for leak in output.get(_NAME, ())]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where they are."""
        if self.leaks:
            terminalreporter.section("secrets or buyers where they must not be", red=True)
            for leak in list(dict.fromkeys(self.leaks))[:_MOST_LINES]:
                terminalreporter.line(str(leak))

    def pytest_unconfigure(self) -> None:
        """Leave logging as it was."""
        logging.setLogRecordFactory(self._factory)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    config.pluginmanager.register(CanaryWatch(), _NAME)


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where the tests put their files; only a fixture is told."""
    watch = request.config.pluginmanager.get_plugin(_NAME)
    assert isinstance(watch, CanaryWatch)
    watch.temporary = tmp_path_factory.getbasetemp()
