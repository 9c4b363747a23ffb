"""Which files go with a mail: those asked for, as far as they can be made and are not too large."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from notifier.domain.digest import Digest
from notifier.domain.recipients import AttachmentKind
from notifier.domain.settings import Account
from notifier.errors import ExtraMissing
from notifier.mail.attachments.csv import orders_csv
from notifier.mail.attachments.sheet import pickup_sheet
from notifier.mail.attachments.xlsx import orders_xlsx
from notifier.mail.freeze import Attachment

MOST_BYTES = 10_000_000
"""Of all files of a mail together; mail servers begin to refuse at twice that, base64 counted."""

MOST_ON_PAPER = 5_000
"""Orders: 500 pages. Nobody fetches more at once, and the digest should not wait for them."""

Attachments = Mapping[AttachmentKind, Attachment]

logger = logging.getLogger(__name__)


def attachments(digest: Digest, account: Account, language: str) -> Attachments:
    """The files of the account's digest; none on a day on which nothing waits.

    One that cannot be made is left out, with a warning: no file is worth a day without a mail.
    """
    if not digest.present:
        return {}
    made = {}
    for kind in AttachmentKind:
        if kind in account.attachments and (file := _try(kind, digest, account, language)):
            made[kind] = file
    return fitting(made)


def fitting(files: Attachments, most: int = MOST_BYTES) -> Attachments:
    """Those that fit together: the sheet goes first, then the workbook; the CSV always stays."""
    kept = dict(files)
    for kind in (AttachmentKind.SHEET, AttachmentKind.XLSX):
        if kind in kept and sum(len(file.content) for file in kept.values()) > most:
            del kept[kind]
            _tell(kind, f"all files together have more than {most // 1_000_000} MB")
    return kept


def _try(
    kind: AttachmentKind, digest: Digest, account: Account, language: str
) -> Attachment | None:
    if kind is AttachmentKind.SHEET and len(digest.present) > MOST_ON_PAPER:
        _tell(kind, f"more than {MOST_ON_PAPER} orders wait")
        return None
    try:
        return _make(kind, digest, account, language)
    except ExtraMissing as error:
        _tell(kind, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a library stumbles over, or a full disk
        _tell(kind, f"it could not be made ({type(error).__name__}: {error})")
    return None


def _make(kind: AttachmentKind, digest: Digest, account: Account, language: str) -> Attachment:
    match kind:
        case AttachmentKind.CSV:
            return orders_csv(digest, language, account.csv_headings, account.columns)
        case AttachmentKind.XLSX:
            return orders_xlsx(digest, language, account.columns)
        case AttachmentKind.SHEET:
            return pickup_sheet(digest, account, language)


def _tell(kind: AttachmentKind, why: str) -> None:
    extra = {"event": "attachment_left_out", "attachment": kind.value}
    logger.warning("the attachment %s is left out: %s", kind.value, why, extra=extra)
