"""Common spam filters find nothing in any mail."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from notifier.i18n.language import available_languages
from tests.days import DAYS
from tests.mail.golden import OTHERS, digest_mail
from tests.neighbours import rspamd

HARMLESS = {"HTML_MESSAGE", "LOTS_OF_MONEY", "NO_RECEIVED", "NO_RELAYS", "WEIRD_QUOTING"}
"""It has HTML; a thousand parcels are worth a lot; it has not travelled; UTF-8 is taken for
quotation marks. All weigh nothing."""


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(
    not shutil.which("spamassassin"), reason="NOT CHECKED: spamassassin is not installed"
)
def test_spamassassin_finds_nothing_in_any_mail(tmp_path: Path) -> None:
    files = [*written_mails(tmp_path)]

    said = subprocess.run(
        ["spamassassin", "-L", "-t", *files],
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # its preview of a mail ends after so many bytes, maybe within a letter
        check=True,
    ).stdout

    unfolded = re.sub(r"\n\s+", " ", said)
    scores = re.findall(r"(?m)^X-Spam-Status: .*? score=(\S+) .*? tests=(.*?) autolearn", unfolded)
    assert len(scores) == len(files)
    assert [score for score, _ in scores if float(score) > 0] == []
    assert {rule for _, rules in scores for rule in re.split(r"[, ]+", rules)} <= HARMLESS


WEIGH_SOMETHING = {"HAS_LIST_UNSUB", "MANY_INVISIBLE_PARTS", "MIME_GOOD", "R_MIXED_CHARSET"}
"""Two of these rules are in our favour. The preheader is hidden text, which weighs 0.05."""


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(rspamd.why_not() is not None, reason=str(rspamd.why_not()))
def test_rspamd_finds_only_mixed_letters_in_any_mail(tmp_path: Path) -> None:
    """It takes č, š and ž beside plain letters for a disguise, unless the language has them. Of
    Croatian it says that it has not, Slovak it does not know, and others it guesses from words
    drawn by lot, so no two runs weigh the letters alike: what all else weighs is judged."""
    (tmp_path / "mails").mkdir()
    (tmp_path / "own").mkdir()
    files = written_mails(tmp_path / "mails")

    with rspamd.running(tmp_path / "own") as filter_:
        verdicts = filter_.judge(files)

    assert len(verdicts) == len(files)
    rules = {name for verdict in verdicts for name, weight in verdict.rules.items() if weight}
    assert rules <= WEIGH_SOMETHING
    letters = [verdict.rules.get("R_MIXED_CHARSET", 0.0) for verdict in verdicts]
    without = [verdict.score - of_them for verdict, of_them in zip(verdicts, letters, strict=True)]
    assert max(without) <= 0


def written_mails(folder: Path) -> list[Path]:
    paths = []
    for language in available_languages():
        mails = {name: digest_mail(language, name) for name in DAYS}
        mails |= {name: other(language) for name, other in OTHERS.items()}
        for name, (_, message) in mails.items():
            paths.append(folder / f"{language}-{name}.eml")
            paths[-1].write_bytes(message.content)
    return paths
