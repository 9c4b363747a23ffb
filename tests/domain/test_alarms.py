"""The causes of alarms, as a pure function of runs, messages and the clock."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from notifier.domain.alarms import Cause, History, Situation, causes, clock_cause
from notifier.domain.ledger import MessageKind, MessageState, OutboxMessage, Run, RunState
from notifier.errors import ClockRefused, MailRefused, MailUnavailable
from notifier.i18n.language import Language, available_languages, load_language
from notifier.i18n.messages import Message, PieceKind
from tests.factories import DAY, account, file_account

SIX = datetime(2026, 11, 22, 5, tzinfo=UTC)
"""On that day in Ljubljana, when the digest is due."""
AT_NIGHT = SIX + timedelta(hours=15)
DAY_BEFORE = DAY - timedelta(days=1)
ALARMS = Path(__file__).parents[2] / "docs" / "alarms.md"


def run(state: RunState, day: date = DAY, *, edition: int = 1, why: str | None = "503") -> Run:
    return Run(day.toordinal() * 10 + edition, "ljubljana", day, edition, state, SIX, why=why)


def message(
    state: MessageState,
    number: int = 12,
    recipient: str = "office@example.com",
    *,
    kind: MessageKind = MessageKind.DIGEST,
) -> OutboxMessage:
    return OutboxMessage(
        id=number,
        kind=kind,
        account_id="ljubljana",
        day=DAY,
        edition=1,
        message_id=f"<{number}@example.com>",
        recipient=recipient,
        envelope_from="parcels@example.com",
        subject="2 parcels to collect",
        state=state,
        attempts=1,
        created_at=SIX,
        size=1000,
        receipt="550 5.1.1 no such user",
    )


def wrong(
    *runs: Run, digests: tuple[OutboxMessage, ...] = (), now: datetime = SIX, **more: object
) -> list[Cause]:
    """Runs and digests newest first."""
    situation = Situation([History(account(), runs, digests)])
    return list(causes(replace(situation, **more), now))  # type: ignore[arg-type]  # by name


def keys(*runs: Run, now: datetime = SIX, digests: tuple[OutboxMessage, ...] = ()) -> list[str]:
    return [cause.key for cause in wrong(*runs, digests=digests, now=now)]


def test_without_any_run_nothing_is_wrong() -> None:
    assert wrong() == []


def test_a_finished_day_is_no_cause() -> None:
    assert keys(run(RunState.COMPLETE), now=SIX + timedelta(hours=9)) == []
    assert keys(run(RunState.INCOMPLETE), now=SIX + timedelta(hours=9)) == []


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.RUNNING])
def test_an_unreadable_list_is_a_cause_after_alarm_after(state: RunState) -> None:
    late = SIX + account().alarm_after

    assert keys(run(state), now=late - timedelta(seconds=1)) == []
    assert keys(run(state), now=late) == ["no-digest/ljubljana"]


def test_an_unreadable_list_says_since_when_why_and_until_when() -> None:
    (cause,) = wrong(run(RunState.FAILED), now=SIX + timedelta(hours=2))

    assert str(cause.what) == (
        "Mimovrste: there is still no digest of 2026-11-22, due at 06:00: 503"
    )
    assert "until 18:00" in str(cause.remedy)
    assert "`notifier check --online`" in str(cause.remedy)


def test_the_remedy_for_an_unreadable_file_is_to_check_the_file() -> None:
    history = History(file_account(), (run(RunState.FAILED),), ())

    (cause,) = causes(Situation((history,)), SIX + timedelta(hours=2))

    assert "whether the file can be read" in str(cause.remedy)
    assert "marketplace" not in str(cause.remedy)


def test_a_skipped_day_is_wrong_until_there_is_a_later_digest() -> None:
    skipped = run(RunState.SKIPPED, DAY_BEFORE)

    assert keys(skipped) == ["no-digest/ljubljana"]
    assert keys(run(RunState.FAILED), skipped) == ["no-digest/ljubljana"]
    assert keys(run(RunState.FAILED), skipped, now=SIX + timedelta(hours=3)) == [
        "no-digest/ljubljana"
    ]
    assert keys(run(RunState.COMPLETE), skipped) == []


def test_a_requested_digest_of_a_skipped_day_ends_the_cause() -> None:
    assert keys(run(RunState.COMPLETE, edition=2), run(RunState.SKIPPED)) == []


def test_the_remedy_for_a_skipped_day_is_a_command_that_sends_it() -> None:
    (cause,) = wrong(run(RunState.SKIPPED))

    assert str(cause.what) == "Mimovrste: 2026-11-22 has no digest: 503"
    assert "`notifier run --now --account ljubljana`" in str(cause.remedy)


def test_a_day_abandoned_because_of_the_clock_is_a_cause_at_once() -> None:
    (cause,) = wrong(run(RunState.ABANDONED, why="the clock is 3 h off"))

    assert cause.key == "no-digest/ljubljana"
    assert str(cause.what) == "Mimovrste: 2026-11-22 has no digest yet: the clock is 3 h off"


def test_a_failed_message_is_wrong_until_a_later_one_to_the_same_mailbox_is_sent() -> None:
    done = run(RunState.COMPLETE)
    failed = message(MessageState.FAILED, 12)
    key = "failed/ljubljana/office@example.com"

    assert keys(done, digests=(failed,)) == [key]
    assert keys(done, digests=(message(MessageState.SENT, 13, "jana@example.com"), failed)) == [key]
    assert keys(done, digests=(message(MessageState.SENT, 13, "Office@Example.com"), failed)) == []


def test_one_mailbox_that_fails_day_after_day_is_one_cause_about_the_newest() -> None:
    two = (message(MessageState.FAILED, 15), message(MessageState.FAILED, 12))
    (cause,) = wrong(run(RunState.COMPLETE), digests=two)

    assert "550 5.1.1 no such user" in str(cause.what)
    assert "`notifier outbox retry 15`" in str(cause.remedy)
    assert "`notifier outbox discard 15`" in str(cause.remedy)


def test_a_failed_message_to_a_former_recipient_is_no_cause() -> None:
    gone = message(MessageState.FAILED, recipient="gone@example.com")

    assert keys(run(RunState.COMPLETE), digests=(gone,)) == []


def test_a_message_whose_delivery_is_unknown_is_a_cause_with_commands() -> None:
    held, unknown = wrong(
        delivery_unknown=(message(MessageState.HELD, 7), message(MessageState.UNKNOWN, 8))
    )

    assert (held.key, unknown.key) == ("unsure/7", "unsure/8")
    assert str(held.remedy) == (
        "If it did not arrive: `notifier outbox retry 7`; if it did: `notifier outbox discard 7`."
    )
    assert str(unknown.remedy).startswith("It is sent again automatically")


def test_an_unreachable_mail_server_and_a_refused_login_are_two_causes() -> None:
    (away,) = wrong(mail_error=MailUnavailable("mail server x:25 cannot be reached"))
    (refused,) = wrong(mail_error=MailRefused("mail server x:25 does not take the password"))

    assert (away.key, refused.key) == ("mail-unavailable", "mail-refused")
    assert str(refused.what) == "No mail can be sent: mail server x:25 does not take the password"
    assert all("`notifier check --online`" in str(cause.remedy) for cause in (away, refused))


def test_a_tick_with_nothing_to_send_does_not_end_a_mail_server_cause() -> None:
    away = Cause("mail-unavailable", Message("No mail can be sent"), Message("Wait."))

    assert wrong(open_causes=(away,)) == [away]
    assert wrong(open_causes=(away,), mail_tried=True) == []


def test_an_alarm_mail_that_fails_is_wrong_until_one_is_sent() -> None:
    failed = message(MessageState.FAILED, 9, "admin@example.com", kind=MessageKind.ALARM)
    (cause,) = wrong(to_admin=(failed,))

    assert cause.kind == "admin-mail"
    assert "`notifier outbox retry 9`" in str(cause.remedy)
    assert wrong(to_admin=(replace(failed, id=10, state=MessageState.SENT), failed)) == []


def test_an_invalid_configuration_is_a_cause() -> None:
    (cause,) = wrong(config_trouble="the configuration cannot be used: config.toml:14")

    assert cause.key == "config"
    assert "`notifier check`" in str(cause.remedy)


def test_templates_are_wrong_until_they_make_a_mail_again() -> None:
    (cause,) = wrong(templates={"ljubljana": "body.html, line 3: 'nonsense' is undefined"})

    assert cause.key == "templates/ljubljana"
    assert str(cause.what).endswith("could not be used: body.html, line 3: 'nonsense' is undefined")
    assert wrong(open_causes=(cause,)) == [cause]  # no mail was made
    assert wrong(open_causes=(cause,), templates={"zagreb": "of another account"}) == [cause]
    assert wrong(open_causes=(cause,), templates={"ljubljana": ""}) == []


def test_the_kind_of_a_cause_contains_no_address() -> None:
    assert Cause("failed/ljubljana/office@example.com", Message(""), Message("")).kind == "failed"


def everything_wrong() -> list[Cause]:
    file = file_account()
    lost = [run(RunState.SKIPPED), run(RunState.ABANDONED, why="the clock is 3 h off")]
    failed, unknown, held = (
        message(state, number)
        for number, state in enumerate(
            (MessageState.FAILED, MessageState.UNKNOWN, MessageState.HELD), start=5
        )
    )
    situations = [
        *(Situation([History(account(), [one])]) for one in lost),
        *(
            Situation([History(who, [run(state, why=why)])])
            for who in (account(), file)
            for state, why in ((RunState.FAILED, "503"), (RunState.RUNNING, None))
        ),
        Situation([History(account(), digests=[failed])], delivery_unknown=[unknown, held]),
        Situation([History(account())], templates={"ljubljana": "'x' is undefined"}),
        Situation([], to_admin=[message(MessageState.FAILED, 9, "admin@example.com")]),
        Situation([], mail_error=MailUnavailable("it cannot be reached")),
        Situation([], mail_error=MailRefused("it does not take the password")),
        Situation([], config_trouble="config.toml:14"),
    ]
    found = [cause for one in situations for cause in causes(one, AT_NIGHT)]
    return [*found, clock_cause(ClockRefused("it says 1970"))]


def test_every_kind_of_cause_is_documented() -> None:
    kinds = {cause.kind for cause in everything_wrong()}

    listed = re.findall(r"^\| `([a-z-]+)` \|", ALARMS.read_text(encoding="utf-8"), re.MULTILINE)
    assert kinds == set(listed)


@pytest.mark.parametrize("language", available_languages()[1:])
def test_every_cause_and_remedy_is_translated(language: str) -> None:
    words, english = load_language(language), load_language("en")
    for cause in everything_wrong():
        for message_ in (cause.what, cause.remedy):
            assert ours(message_, words) != ours(message_, english), str(message_)


def ours(text: Message, language: Language) -> list[str]:
    pieces = text.pieces(language)
    return [one.text for one in pieces if one.kind is PieceKind.WORDS and not one.placeholder]
