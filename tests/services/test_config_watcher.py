"""Which configuration is in force while the file is broken."""

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
class Desk:
    """A file somebody edits, what an earlier process kept of it, and a clock."""

    file: Settings | ConfigError = GOOD
    kept: LastGood | None = None
    now: datetime = factories.NOON

    def load(self) -> Settings:
        if isinstance(self.file, ConfigError):
            raise self.file
        return self.file

    def config(self) -> ConfigWatcher:
        return ConfigWatcher(self.load, lambda: self.kept, lambda: self.now)


def test_a_good_file_is_in_force_and_a_change_is_seen_at_the_next_call() -> None:
    desk = Desk()
    config = desk.config()
    assert config.current() == EffectiveConfig(GOOD)

    desk.file = MENDED

    assert config.current() == EffectiveConfig(MENDED)


def test_a_broken_one_leaves_the_last_good_one_in_force_and_says_why_and_until_when() -> None:
    desk = Desk()
    config = desk.config()
    config.current()

    desk.file, desk.now = MISTAKE, desk.now + timedelta(minutes=1)
    effective = config.current()

    assert effective.settings == GOOD
    assert effective.trouble == (
        "the configuration cannot be used: config.toml:14: smtp.hots: is no option. The one of "
        "2026-11-22 12:00 UTC is used instead, until 2026-11-25 12:00 UTC and no longer"
    )


def test_three_days_are_the_longest() -> None:
    desk = Desk()
    config = desk.config()
    config.current()
    desk.file = MISTAKE

    desk.now += LONGEST
    assert config.current().settings == GOOD
    desk.now += timedelta(seconds=1)
    with pytest.raises(ConfigError, match="is too old to be used instead"):
        config.current()

    desk.file = MENDED
    assert config.current() == EffectiveConfig(MENDED)


def test_what_an_earlier_process_kept_is_in_force_until_its_own_three_days_are_over() -> None:
    desk = Desk(MISTAKE, LastGood(GOOD, factories.NOON - timedelta(days=2)))
    config = desk.config()

    assert config.current().settings == GOOD
    desk.now += timedelta(days=1, seconds=1)
    with pytest.raises(ConfigError):
        config.current()


def test_before_anything_was_good_there_is_nothing_to_fall_back_on() -> None:
    with pytest.raises(ConfigError) as caught:
        Desk(MISTAKE).config().current()

    assert caught.value is MISTAKE
