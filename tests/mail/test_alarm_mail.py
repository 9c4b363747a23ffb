"""The alarm mail: commands can be typed, and foreign text becomes no markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.alarms import Alarm, Cause
from notifier.i18n.language import available_languages
from notifier.i18n.messages import lazy
from notifier.mail.render import RenderedMail, Renderer
from tests.factories import NOON, account
from tests.mail.html import elements, links, parse, shape

RENDERER = Renderer()


def mail(reply: str, language: str = "en") -> RenderedMail:
    cause = Cause(
        "failed/ljubljana/office@example.com",
        lazy(
            "{account}: the digest of {day} to {recipient} could not be delivered: {reply}",
            account=reply,
            day="2026-11-22",
            recipient="office@example.com",
            reply=reply,
        ),
        lazy(
            "Fix the cause, then `notifier outbox retry {number}`; or discard it: `notifier "
            "outbox discard {number}`.",
            number=12,
        ),
    )
    return RENDERER.alarms([Alarm(1, cause, NOON)], [], account().schedule.zone, language=language)


@pytest.mark.parametrize("language", available_languages())
def test_commands_are_set_apart(language: str) -> None:
    alarm_mail = mail("550", language)

    commands = [e.text for e in elements(parse(alarm_mail.html)) if e.tag == "code"]
    assert commands == ["notifier outbox retry 12", "notifier outbox discard 12"]
    assert "`notifier outbox retry 12`" in alarm_mail.text
    assert "`notifier outbox discard 12`" in alarm_mail.text


@given(st.text(min_size=1).filter(lambda text: text.strip().isprintable() and text.strip() != ""))
def test_foreign_text_in_an_alarm_adds_no_element(reply: str) -> None:
    assert shape(parse(mail(reply).html)) == shape(parse(mail("550").html))


def test_foreign_text_in_an_alarm_makes_no_command_and_no_link() -> None:
    alarm_mail = mail("see `rm -rf` at https://evil.example/{number} <b>")

    # The backticks of the response are text; only those of the message itself mark a command.
    root = parse(alarm_mail.html)
    first = next(e.text for e in elements(root) if e.tag == "code")
    assert first == "notifier outbox retry 12"
    assert not links(root)
    assert "evil.example" not in alarm_mail.html + alarm_mail.text
    assert "{number}" in alarm_mail.text
