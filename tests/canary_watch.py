"""Search the log, the output and the files of a whole test session for secrets and buyers.

A pytest plugin (`-p tests.canary_watch`), active in every session here.
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
    """The plugin: fails the session when it finds a canary, and reports each place."""

    def __init__(self) -> None:
        self.leaks: list[Leak] = []
        self._records: list[logging.LogRecord] = []
        self._factory = logging.getLogRecordFactory()
        self.temporary: Path | None = None
        logging.setLogRecordFactory(self._record)

    def _record(self, *args: object, **more: object) -> logging.LogRecord:
        """Keep each log record until its test ends: `extra` is added after its creation."""
        record = self._factory(*args, **more)
        self._records.append(record)
        return record

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Search what a test has printed and logged."""
        report = yield
        for name, text in report.sections:
            self.leaks += leaks_in_text(text, f"{item.nodeid}, {name}")
        self._search_records(item.nodeid)
        return report

    def _search_records(self, place: str) -> None:
        records, self._records = self._records, []
        for record in records:
            self.leaks += leaks_in_text(_FORMAT.format(record), f"{place}, log of {record.name}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search the files before pytest removes them."""
        self._search_records("between the tests")
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
        """List the leaks."""
        if self.leaks:
            terminalreporter.section("secrets or buyers in forbidden places", red=True)
            for leak in list(dict.fromkeys(self.leaks))[:_MOST_LINES]:
                terminalreporter.line(str(leak))

    def pytest_unconfigure(self) -> None:
        """Restore the log record factory."""
        logging.setLogRecordFactory(self._factory)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin."""
    config.pluginmanager.register(CanaryWatch(), _NAME)


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Note the folder of the tests' files, which pytest gives to fixtures only."""
    watch = request.config.pluginmanager.get_plugin(_NAME)
    assert isinstance(watch, CanaryWatch)
    watch.temporary = tmp_path_factory.getbasetemp()
