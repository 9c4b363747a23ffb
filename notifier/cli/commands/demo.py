"""`notifier demo`: two days of a small shop, simulated over real sockets on this machine."""

from __future__ import annotations

import asyncio
import email
import email.policy
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import click

from notifier.cli.commands.run import run
from notifier.cli.context import Invocation, pass_invocation
from notifier.errors import ExitCode, gravest
from notifier.services.due import RunRequest
from notifier.simulator import World, serve
from notifier.simulator.mailbox import receive

# Marks a folder whose files may be removed: the folder could hold a real configuration.
FIRST_LINE = "# Written by `notifier demo`, which replaces the files of a folder with this line."

CONFIG = """\
{first_line}
admin = "Admin <admin@example.com>"

[store]
path = "notifier.db"

[smtp]
host = "127.0.0.1"
port = {smtp_port}
tls = "none"                         # allowed on this machine only
from = "Ready to return <parcels@example.com>"

[marketplace]
base_url = "{base_url}"

[groups.warehouse]
members = ["Jana <jana@example.com>", "pavol@example.com"]
language = "sl"

[accounts.demo]
name = "Demo shop"
client_id = "{client_id}"
recipients = ["Office <office@example.com>", "warehouse"]
order_url = "https://partner.example.com/orders/{{id}}"

[accounts.demo.place]
name = "Branch Ljubljana Center"
address = "Example street 1, 1000 Ljubljana"
opening_hours = "Mon–Fri 8–18"
"""


@click.command
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for configuration, store, Maildir and HTML. Default: a new temporary one.",
)
@click.option("--seed", type=int, default=4, show_default=True, help="Same seed, same orders.")
@pass_invocation
def command(invocation: Invocation, *, directory: Path | None, seed: int) -> int:
    """Try the notifier on this machine, with a simulated marketplace.

    Simulates two mornings of a small shop: the first digest, and one a day later that shows what
    is new, what is still waiting and what was collected. Nothing leaves this machine.
    """
    folder = _prepare(directory)
    invocation.log_steps()
    return asyncio.run(_play(invocation, folder, seed))


async def _play(invocation: Invocation, folder: Path, seed: int) -> ExitCode:
    today = invocation.now()
    world = World.from_scenario("small_shop", seed=seed, start=today - timedelta(days=1))
    config, maildir = folder / "config.toml", folder / "Maildir"
    async with serve(world) as base_url, receive(maildir) as smtp_port:
        invocation.echo(f"1. Started a simulated marketplace at {base_url},")
        invocation.echo(f"   and a mail server at 127.0.0.1:{smtp_port}.")
        _write_config(config, base_url, smtp_port, world.client_id)
        invocation.echo(f"2. Wrote the configuration {config}.")
        invocation.echo("3. Yesterday morning, `notifier run`:")
        codes = [await _run(config, world.now)]
        world.advance(days=1)
        invocation.echo("4. A day later, `notifier run` again:")
        codes.append(await _run(config, world.now))
    code = gravest(codes)
    if code is ExitCode.DONE:
        _show(invocation, folder, maildir)
    return code


async def _run(config: Path, at: datetime) -> ExitCode:
    """Do what `notifier --config CONFIG run --now` does, with the clock at `at`."""
    # With an empty environment: variables of a real installation would change the demo.
    return await run(
        Invocation(config, clock=lambda: at, environ={}), (), RunRequest(now=True, who="demo")
    )


def _prepare(directory: Path | None) -> Path:
    """Return an empty folder; remove the files of an earlier demo from it."""
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="notifier-demo-"))
    config = directory / "config.toml"
    if config.is_file() and config.read_text(encoding="utf-8").startswith(FIRST_LINE):
        _clear(directory)
    elif directory.exists() and any(directory.iterdir()):
        raise click.BadParameter(
            f"{directory} is not empty, and not from an earlier demo; name a new folder",
            param_hint="--directory",
        )
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _clear(directory: Path) -> None:
    """Remove only the files that a demo writes."""
    # Not the whole folder: people may have put files of their own into it.
    shutil.rmtree(directory / "Maildir", ignore_errors=True)
    for pattern in ("config.toml", "notifier.db*", "digest-*.html"):
        for file in directory.glob(pattern):
            file.unlink()


def _write_config(file: Path, base_url: str, smtp_port: int, client_id: str) -> None:
    text = CONFIG.format(
        first_line=FIRST_LINE, base_url=base_url, smtp_port=smtp_port, client_id=client_id
    )
    file.write_text(text, encoding="utf-8")
    # It holds a client id, and the notifier refuses a secret in a file that others may read.
    file.chmod(0o600)


def _show(invocation: Invocation, folder: Path, maildir: Path) -> None:
    """Print where the mails are, and the text part of the newest English one."""
    mails = list(_received(maildir))
    invocation.echo(f"5. {len(mails)} mails arrived in {maildir}:")
    for mail in mails:
        invocation.echo(f"   {mail['To']}: {mail['Subject']}")
    last = {mail["Content-Language"]: mail for mail in mails}
    invocation.echo("6. Open the HTML part in a browser:")
    for language, mail in last.items():
        file = folder / f"digest-{language}.html"
        file.write_text(_part(mail, "html"), encoding="utf-8")
        invocation.echo(f"   {file.as_uri()}")
    invocation.echo("7. The text part of the newest English mail:\n")
    invocation.echo(f"Subject: {last['en']['Subject']}\n")
    invocation.echo(_part(last["en"], "plain"))
    invocation.echo(f"All files are in {folder}. To see the recorded runs:")
    invocation.echo(f"  notifier --config {folder / 'config.toml'} runs")


def _received(maildir: Path) -> Iterator[EmailMessage]:
    """Yield the mails, oldest first, parsed as by a mail program."""
    messages = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in sorted((maildir / "new").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    ]
    yield from sorted(messages, key=lambda message: message["Date"].datetime)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None  # noqa: S101 - every digest has both parts
    content: str = body.get_content()
    return content
