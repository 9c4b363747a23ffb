"""`notifier preview`: show the digest as it would be sent now."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from notifier.cli.build_context import choose_accounts, open_context
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.terminal import reading_progress
from notifier.errors import ExitCode
from notifier.i18n.language import available_languages
from notifier.mail.lint import LintFinding, Severity
from notifier.services.preview import Preview, preview

STANDARD_OUTPUT = Path("-")


@click.command
@click.option("--account", metavar="ID", help="Account. Default: the first one.")
@click.option("--language", metavar="CODE", help="Language. Default: the first recipient's.")
@click.option("--text", is_flag=True, help="Print the text part (the default).")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the HTML part to FILE; - for standard output.",
)
@click.option(
    "--eml",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the whole mail to FILE, byte for byte as it would be sent.",
)
@click.option(
    "--attachments",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the attachments into FOLDER.",
)
@click.option("--open", "show", is_flag=True, help="Open the HTML part in a browser.")
@click.option(
    "--lint", is_flag=True, help="Also report notes on the mail; exit with 3 on an error."
)
@pass_invocation
def command(
    invocation: Invocation,
    *,
    account: str | None,
    language: str | None,
    text: bool,
    html: Path | None,
    eml: Path | None,
    folder: Path | None,
    show: bool,
    lint: bool,
) -> int:
    """Show today's digest without sending or recording anything.

    Reads the marketplace, and takes as many API calls as a run. Mistakes in the mail are reported
    on standard error.
    """
    # Mixed with other output, the HTML could not be piped into a file.
    if html == STANDARD_OUTPUT and (text or show):
        other = "--text" if text else "--open"
        raise click.UsageError(
            f"--html - prints the HTML part alone; name a file for it, or omit {other}"
        )
    shown = asyncio.run(_preview(invocation, account, language))
    parts = shown.mail
    if eml:
        click.echo(f"Mail to {shown.reader.mailbox.address}: {_write(shown.message.content, eml)}")
    if folder:
        _write_files(shown, folder)
    if text or not (html or show or eml or folder):
        click.echo(f"Subject: {parts.subject}\n")
        click.echo(parts.text, nl=False)
    if html == STANDARD_OUTPUT:
        click.echo(shown.page)
    elif html or show:
        file = _write(shown.page.encode(), html)
        click.echo(f"HTML part: {file}")
        if show:
            click.launch(file.as_uri())
    if lint or html != STANDARD_OUTPUT:
        _report(invocation, shown.findings, with_notes=lint)
    return _exit_code(shown.findings) if lint else ExitCode.DONE


async def _preview(invocation: Invocation, id_: str | None, language: str | None) -> Preview:
    settings = invocation.settings()
    account = choose_accounts(settings, [id_] if id_ else [])[0]
    # Before reading, which takes as many calls as a run.
    _check_language(language)
    day = account.schedule.local_day(invocation.now())
    with reading_progress() as progress:
        async with open_context(
            settings, invocation.now, read_only=True, progress=progress
        ) as context:
            shown = await preview(account, context, day, language)
    if gap := shown.digest.gap:
        invocation.warn(f"{account.name}: this list is incomplete: {gap.why}.")
    return shown


def _report(invocation: Invocation, findings: Sequence[LintFinding], *, with_notes: bool) -> None:
    """Print mistakes in the mail on standard error, apart from the mail itself."""
    for finding in findings:
        if with_notes or finding.severity is not Severity.NOTE:
            invocation.warn(str(finding))


def _exit_code(findings: Sequence[LintFinding]) -> ExitCode:
    is_wrong = any(finding.severity is Severity.ERROR for finding in findings)
    return ExitCode.FAILED if is_wrong else ExitCode.DONE


def _check_language(language: str | None) -> None:
    if language and language not in available_languages():
        raise click.BadParameter(
            f'unknown language "{language}"; available: {", ".join(available_languages())}',
            param_hint="--language",
        )


def _write_files(shown: Preview, folder: Path) -> None:
    """Write the attachments into a folder, which is created if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.FileError(str(folder), error.strerror or str(error)) from None
    for file in shown.files:
        click.echo(f"Attachment: {_write(file.content, folder / file.filename)}")


def _write(content: bytes, file: Path | None) -> Path:
    """Write to `file`, or to a new temporary one; return its absolute path."""
    if file is None:
        # A folder of mode 700, because the page shows what the seller sells.
        file = Path(tempfile.mkdtemp(prefix="notifier-preview-")) / "digest.html"
    try:
        file.write_bytes(content)
    except OSError as error:
        raise click.FileError(str(file), error.strerror or str(error)) from None
    return file.resolve()
