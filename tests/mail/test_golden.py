"""Every kind of mail in every language equals its golden file, is well formed and readable."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from notifier.i18n.language import available_languages
from notifier.mail.html import parse_html
from notifier.mail.lint import Expected, Severity, expected_hosts, expected_of
from tests.days import DAYS
from tests.factories import account, mail_options, sender
from tests.mail.golden import (
    FOLDER,
    MAIL_NAMES,
    OTHERS,
    WHOLE,
    digest_mail,
    golden_files,
    golden_mail,
    structure,
)
from tests.mail.html import elements, order_ids, parse
from tests.mail.lint_tools import strict_lint
from tests.mail.lint_tools.cascade import Scheme, knows_dark
from tests.mail.lint_tools.contrast import LEAST_CONTRAST, seen

MAILS = [(language, name) for language in available_languages() for name in MAIL_NAMES]
each_mail = pytest.mark.parametrize(("language", "name"), MAILS)


def html(language: str, name: str) -> str:
    return golden_mail(language, name).html


@pytest.mark.slow
def test_mails_equal_the_golden_files() -> None:
    """Run `python -m tests.mail.golden` if the change is intended; read the difference."""
    kept = {
        path.name: path for path in FOLDER.iterdir() if path.suffix in (".html", ".txt", ".head")
    }
    made = dict(golden_files())

    # A file of a mail that no longer exists fails, too.
    assert sorted(made) == sorted(kept)
    for file, content in made.items():
        assert content == kept[file].read_text(encoding="utf-8"), file


@each_mail
def test_a_mail_has_the_same_structure_in_each_language(language: str, name: str) -> None:
    assert structure(language, name) == structure(WHOLE, name)


@each_mail
def test_html_is_well_formed_and_declares_its_language(language: str, name: str) -> None:
    root = parse(html(language, name))

    assert root.get("lang") == language
    layout = [e for e in elements(root) if e.tag == "table" and e.get("role") is None]
    assert all(next(table.iter("th"), None) is not None for table in layout)
    assert all(e.get("scope") in ("col", "row") for e in elements(root) if e.tag == "th")


@each_mail
def test_html_loads_nothing_and_runs_nothing(language: str, name: str) -> None:
    root = parse(html(language, name))

    tags = {str(element.tag) for element in elements(root)}
    assert not tags & {"script", "form", "img", "iframe", "link", "object", "svg", "input"}
    names = {str(name) for element in elements(root) for name in element.attrib}
    assert not names & {"src", "srcset", "background", "onclick", "onload", "action"}
    assert not re.search(r"url\(|@import|@font-face", html(language, name))


@pytest.mark.skipif(not shutil.which("tidy"), reason="NOT CHECKED: tidy is not installed")
@each_mail
def test_tidy_finds_nothing(language: str, name: str) -> None:
    tidy = subprocess.run(
        ["tidy", "-q", "-e", "-utf8"],
        input=html(language, name).encode(),
        capture_output=True,
        check=False,
    )

    assert tidy.stderr.decode() == ""


@each_mail
@pytest.mark.parametrize("scheme", Scheme)
def test_every_text_has_enough_contrast(language: str, name: str, scheme: Scheme) -> None:
    mail = parse_html(html(language, name))

    read = [*seen(mail, scheme)]

    assert " ".join(" ".join(one.text.text for one in read).split()) == mail.visible_text()
    assert knows_dark(mail)
    # A cascade that finds no text would pass without this.
    assert len(read) > 10
    assert [one for one in read if one.contrast is None or one.contrast < LEAST_CONTRAST] == []


@pytest.mark.slow
@each_mail
def test_the_lint_finds_only_what_outlook_draws_plainer(language: str, name: str) -> None:
    if other := OTHERS.get(name):
        parts, message = other(language)
        expected = Expected(expected_hosts(account().order_url, sender()))
    else:
        parts, message = digest_mail(language, name)
        expected = expected_of(DAYS[name](), mail_options(account(), language), sender())

    found = strict_lint(parts, expected, message.content)

    # Equal, not a subset: a lint that finds nothing at all would be broken.
    assert {finding.what for finding in found} == {"Outlook for Windows lacks border-radius"}
    assert {finding.severity for finding in found} == {Severity.NOTE}


@each_mail
def test_text_lines_fit_the_width_of_a_terminal(language: str, name: str) -> None:
    text = golden_mail(language, name).text

    assert [line for line in text.splitlines() if len(line) > 78 and "://" not in line] == []
    assert not re.search("[\u00a0\u202f\t]| $", text, re.MULTILINE)


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize("day", DAYS)
def test_text_and_html_show_the_same_orders_in_the_same_order(language: str, day: str) -> None:
    text = golden_mail(language, day).text

    # An order begins two spaces in; the lines below it are indented further.
    in_text = re.findall(r"(?m)^  (\d{7})  ", text)
    assert in_text == order_ids(parse(html(language, day)))
