"""The last good configuration stays in force for three days while the file is broken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from notifier.domain.settings import Settings, SmtpServer, StoreLocation, Tls
from notifier.errors import ConfigError, Problem
from notifier.services.config_watcher import LONGEST, ConfigWatcher, EffectiveConfig, LastGood
from tests import factories

GOOD = Settings(
    accounts={"ljubljana": factories.account()},
    smtp=SmtpServer("smtp.example.com", 465, Tls.IMPLICIT),
    sender=factories.sender(),
    store=StoreLocation("sqlite:////var/lib/notifier/notifier.db"),
)
MENDED = replace(GOOD, health_listen="127.0.0.1:8686")
MISTAKE = ConfigError((Problem("config.toml", 14, "smtp.hots", "is no option"),))


@dataclass(slots=True)
class ConfigScenario:
    """A configuration file, the copy that an earlier process kept, and a clock."""

    file: Settings | ConfigError = GOOD
    kept: LastGood | None = None
    now: datetime = factories.NOON

    def load(self) -> Settings:
        if isinstance(self.file, ConfigError):
            raise self.file
        return self.file

    def watcher(self) -> ConfigWatcher:
        return ConfigWatcher(self.load, lambda: self.kept, lambda: self.now)


def test_a_valid_file_is_in_force_and_a_change_takes_effect_at_the_next_call() -> None:
    scenario = ConfigScenario()
    watcher = scenario.watcher()
    assert watcher.current() == EffectiveConfig(GOOD)

    scenario.file = MENDED

    assert watcher.current() == EffectiveConfig(MENDED)


def test_a_broken_file_leaves_the_last_good_one_in_force_with_reason_and_deadline() -> None:
    scenario = ConfigScenario()
    watcher = scenario.watcher()
    watcher.current()

    scenario.file, scenario.now = MISTAKE, scenario.now + timedelta(minutes=1)
    effective = watcher.current()

    assert effective.settings == GOOD
    assert effective.trouble == (
        "the configuration cannot be used: config.toml:14: smtp.hots: is no option. The one of "
        "2026-11-22 12:00 UTC is used instead, until 2026-11-25 12:00 UTC and no longer"
    )


def test_the_last_good_configuration_expires_after_three_days() -> None:
    scenario = ConfigScenario()
    watcher = scenario.watcher()
    watcher.current()
    scenario.file = MISTAKE

    scenario.now += LONGEST
    assert watcher.current().settings == GOOD
    scenario.now += timedelta(seconds=1)
    with pytest.raises(ConfigError, match="is too old to be used instead"):
        watcher.current()

    scenario.file = MENDED
    assert watcher.current() == EffectiveConfig(MENDED)


def test_the_copy_of_an_earlier_process_expires_three_days_after_it_was_kept() -> None:
    scenario = ConfigScenario(MISTAKE, LastGood(GOOD, factories.NOON - timedelta(days=2)))
    watcher = scenario.watcher()

    assert watcher.current().settings == GOOD
    scenario.now += timedelta(days=1, seconds=1)
    with pytest.raises(ConfigError):
        watcher.current()


def test_a_broken_first_configuration_is_an_error() -> None:
    with pytest.raises(ConfigError) as caught:
        ConfigScenario(MISTAKE).watcher().current()

    assert caught.value is MISTAKE
