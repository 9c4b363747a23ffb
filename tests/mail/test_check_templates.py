"""Own templates are checked with example days, and their findings reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.mail.check_templates import check_templates, example_days
from notifier.mail.lint import Severity
from notifier.mail.render import Renderer
from tests.factories import NOON, account, file_account, sender


def findings(folder: Path, name: str = "", template: str = "") -> list[str]:
    """Return the errors and warnings when this template is the operator's own."""
    if name:
        file = folder / "mail" / "digest" / name
        file.parent.mkdir(parents=True)
        file.write_text(template, encoding="utf-8")
    found = check_templates(Renderer(folder), account(), sender(), NOON, language="en")
    return [str(finding) for finding in found if finding.severity is not Severity.NOTE]


def test_a_folder_without_templates_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


def test_the_example_days_are_as_different_as_days_get() -> None:
    # An account's settings must not make two example days the same.
    for of in (account(), file_account(), account(order_url=None, place=None, overdue_days=1)):
        days = example_days(of, NOON)

        ordinary, calm, part, first = days.values()
        assert all((ordinary.new, ordinary.waiting, ordinary.collected, ordinary.overdue))
        assert not any((calm.present, calm.gap))
        assert all((part.gap, part.skipped_days))
        assert first.is_first


@pytest.mark.parametrize(
    ("name", "template", "words"),
    [
        ("body.txt", "{{ mail.nonsense }}", "the built-in ones made the mail: mail/digest/body"),
        ("body.txt", "{{ mail.trend.bars[0].day }}", "a day without parcels, your own templates"),
        ("body.txt", "{{ mail.day }}", "an ordinary day, the text part: order 7400004"),
        ("body.html", "A<script>1</script>", "line 1, <script>: mail programs remove <script>"),
        ("subject.txt", "{{ mail.headline.subject * 3 }}", "the subject: it has"),
    ],
)
def test_it_finds_in_an_own_template(name: str, template: str, words: str, tmp_path: Path) -> None:
    assert [line for line in findings(tmp_path, name, template) if words in line]


def test_a_finding_of_every_day_is_reported_once(tmp_path: Path) -> None:
    (line,) = findings(tmp_path, "subject.txt", "")

    assert line.startswith("error: an ordinary day, your own templates: they cannot be used")
    assert line.endswith("no text is visible in subject.txt; correct the template")
