"""Choose the files of a mail: those requested, if they can be made and are not too large."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from notifier.domain.digest import Digest
from notifier.domain.recipients import AttachmentKind
from notifier.domain.settings import MailOptions
from notifier.mail.attachments.csv import orders_csv
from notifier.mail.freeze import Attachment

# Some mail servers refuse twice that, to which base64 adds a third.
MOST_BYTES = 10_000_000
"""Limit of all files of a mail together."""

# About 500 pages; more would delay the digest.
MOST_ON_PAPER = 5_000
"""Limit of orders on the pick-up sheet."""

Attachments = Mapping[AttachmentKind, Attachment]

logger = logging.getLogger(__name__)


def attachments(digest: Digest, options: MailOptions) -> Attachments:
    """Make the files of a digest; none if no order waits.

    A file that cannot be made is left out with a warning, so that the digest is still sent.
    """
    if not digest.present:
        return {}
    made = {}
    for kind in AttachmentKind:
        if kind in options.attachments and (file := _try(kind, digest, options)):
            made[kind] = file
    return fitting(made)


def fitting(files: Attachments, most: int = MOST_BYTES) -> Attachments:
    """Drop the pick-up sheet, then the workbook, until the files fit; keep the CSV always."""
    kept = dict(files)
    # Every program can read the CSV, and the mail refers to it for the orders without room.
    for kind in (AttachmentKind.SHEET, AttachmentKind.XLSX):
        if kind in kept and sum(len(file.content) for file in kept.values()) > most:
            del kept[kind]
            _log(kind, f"all files together have more than {most // 1_000_000} MB")
    return kept


def _try(kind: AttachmentKind, digest: Digest, options: MailOptions) -> Attachment | None:
    if kind is AttachmentKind.SHEET and len(digest.present) > MOST_ON_PAPER:
        _log(kind, f"more than {MOST_ON_PAPER} orders wait")
        return None
    try:
        return _make(kind, digest, options)
    except Exception as error:  # noqa: BLE001 - an error of a library, or a full disk
        _log(kind, f"it could not be made ({type(error).__name__}: {error})")
    return None


def _make(kind: AttachmentKind, digest: Digest, options: MailOptions) -> Attachment:
    match kind:
        case AttachmentKind.CSV:
            return orders_csv(digest, options)
        # XlsxWriter and reportlab take long to load, and few mails need them.
        case AttachmentKind.XLSX:
            from notifier.mail.attachments.xlsx import orders_xlsx  # noqa: PLC0415

            return orders_xlsx(digest, options)
        case AttachmentKind.SHEET:
            from notifier.mail.attachments.sheet import pickup_sheet  # noqa: PLC0415

            return pickup_sheet(digest, options)


def _log(kind: AttachmentKind, why: str) -> None:
    extra = {"event": "attachment_left_out", "attachment": kind.value}
    logger.warning("the attachment %s is left out: %s", kind.value, why, extra=extra)
