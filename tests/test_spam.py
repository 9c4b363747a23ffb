"""A filter that many receivers use finds nothing to hold against any mail."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from notifier.i18n import available_languages
from tests.days import DAYS
from tests.golden import OTHERS, digest_mail

HARMLESS = {"HTML_MESSAGE", "LOTS_OF_MONEY", "NO_RECEIVED", "NO_RELAYS", "WEIRD_QUOTING"}
"""It has HTML; a thousand parcels are worth a lot; it has not travelled; UTF-8 is taken for
quotation marks. All weigh nothing."""


@pytest.mark.skipif(
    not shutil.which("spamassassin"), reason="NOT CHECKED: spamassassin is not installed"
)
def test_spamassassin_holds_nothing_against_any_mail(tmp_path: Path) -> None:
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


def written_mails(folder: Path) -> list[Path]:
    paths = []
    for language in available_languages():
        mails = {name: digest_mail(language, name) for name in DAYS}
        mails |= {name: other(language) for name, other in OTHERS.items()}
        for name, (_, message) in mails.items():
            paths.append(folder / f"{language}-{name}.eml")
            paths[-1].write_bytes(message.content)
    return paths
