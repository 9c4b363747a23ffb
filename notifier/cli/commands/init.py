"""`notifier init`: write a first configuration from a few questions, or from flags."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from notifier import config
from notifier.cli.context import Invocation, pass_invocation
from notifier.config.environment import variable
from notifier.config.file import config_text, write_private
from notifier.config.layers import Tree, put
from notifier.config.toml import Where, dotted
from notifier.config.values import is_loopback
from notifier.errors import ConfigError, Problem

Answers = Mapping[str, Any]
"""Answers by the name of their question; with "_file" at its end, the file of a secret answer."""

PASSWORD_VARIABLE = variable(("smtp", "password"))
# Any text will do: without a password, each login would be reported as incomplete.
PLACEHOLDER_PASSWORD = {PASSWORD_VARIABLE: "…"}
"""The environment while the login is checked: its password is asked for only afterwards."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, also answered by the flag of the same name."""

    name: str
    option: tuple[str, ...]
    """Where the answer belongs; "ID" stands for the account's id."""
    prompt: str
    default: str | Callable[[Answers], str] | None = None
    """May depend on earlier answers. None: an answer is required. Empty: it is optional."""
    hidden: bool = False

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"

    def where(self, account: str) -> Where:
        return tuple(account if part == "ID" else part for part in self.option)


def _login_or_admin(known: Answers) -> str:
    login = str(known.get("smtp_username", ""))
    return login if "@" in login else str(known["admin"])


# The one answer without a flag, because others could see it in the list of processes.
PASSWORD = Question("smtp_password", ("smtp", "password"), "Its password (not shown)", hidden=True)
QUESTIONS = (
    Question("account_name", ("accounts", "ID", "name"), "Name of the seller account"),
    Question(
        "client_id", ("accounts", "ID", "client_id"), "Its client_id (not shown)", hidden=True
    ),
    Question(
        "recipient",
        ("accounts", "ID", "recipients"),
        "Who gets the digest (addresses, separated by commas)",
    ),
    Question(
        "place", ("accounts", "ID", "place", "name"), "Branch where the parcels wait (optional)", ""
    ),
    Question("admin", ("admin",), "Who gets alarms (address of the admin)"),
    Question("smtp_host", ("smtp", "host"), "Mail server"),
    Question("smtp_port", ("smtp", "port"), "Port of the mail server", "465"),
    Question("smtp_username", ("smtp", "username"), "User name for the mail server (optional)", ""),
    PASSWORD,
    Question("smtp_from", ("smtp", "from"), "Sender address of the mail", _login_or_admin),
    Question("send_at", ("digest", "send_at"), "Time of day when the digest is sent", "06:00"),
    Question("timezone", ("digest", "timezone"), "Time zone of that time", "Europe/Prague"),
    Question("language", ("digest", "language"), "Language of the digest", "en"),
)


@click.command
@click.option("--account-name", metavar="NAME", help="Name of the seller account.")
@click.option("--client-id", metavar="TEXT", help="API credential of the account.")
@click.option("--client-id-file", metavar="FILE", help="File that holds the client id.")
@click.option(
    "--recipient", metavar="ADDRESS", multiple=True, help="Who gets the digest; repeatable."
)
@click.option("--place", metavar="NAME", help="Branch where the parcels wait.")
@click.option("--admin", metavar="ADDRESS", help="Who gets alarms.")
@click.option("--smtp-host", metavar="HOST", help="Mail server.")
@click.option("--smtp-port", metavar="PORT", help="465 (the default), or 587 for STARTTLS.")
@click.option("--smtp-username", metavar="NAME", help="User name for the mail server.")
@click.option("--smtp-password-file", metavar="FILE", help="File that holds the password for it.")
@click.option(
    "--smtp-from",
    metavar="ADDRESS",
    help="Sender. Default: the user name if it is an address, else the admin.",
)
@click.option("--send-at", metavar="HH:MM", help="When the digest is sent. Default: 06:00.")
@click.option("--timezone", metavar="ZONE", help="Time zone of --send-at. Default: Europe/Prague.")
@click.option("--language", metavar="CODE", help="Language of the digest. Default: en.")
@click.option(
    "--yes", "--non-interactive", "yes", is_flag=True, help="Ask nothing; use flags and defaults."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@pass_invocation
def command(invocation: Invocation, /, *, yes: bool, force: bool, **flags: Any) -> None:
    """Write a commented config.toml from a few questions."""
    file = _target(invocation)
    # Before the questions, so that they are not answered in vain.
    if file.exists() and not force:
        raise click.UsageError(f"{file} already exists; --force replaces it")
    known = _from_flags(flags)
    text = config_text(_tree(_with_defaults(known) if yes else _with_asked(known)))
    _refuse_wrong(text, file, known, invocation.environ)
    _write(file, text, replace=force)
    _print_next_steps(invocation, file)


def _target(invocation: Invocation) -> Path:
    """Return the file to write; never the one in /etc, unless it is named."""
    # A first configuration belongs to the person who answers, and writing to /etc needs root.
    named = invocation.environ.get("NOTIFIER_CONFIG")
    return invocation.config_file or Path(named or "config.toml")


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers from the command line; raises BadParameter for a wrong one."""
    known: dict[str, Any] = {
        # Relative to where the person is; in the configuration it would be relative to the file.
        name: str(Path(value).absolute())
        for name, value in flags.items()
        if name.endswith("_file") and value
    }
    for question in QUESTIONS:
        if given := flags.get(question.name):
            known[question.name] = _convert(question, given)
            for objection in _objections(question, known):
                raise click.BadParameter(objection, param_hint=question.flag)
    return known


def _with_defaults(known: Answers) -> Answers:
    if gaps := _missing_flags(known):
        raise click.UsageError(f"--yes needs {', '.join(gaps)}")
    defaults = {one.name: _convert(one, _default(one, known) or "") for one in QUESTIONS}
    return {**defaults, **known}


def _missing_flags(known: Answers) -> list[str]:
    """Return the flags of required answers that are not known."""
    return [
        question.flag
        for question in QUESTIONS
        if question.default is None and question is not PASSWORD and not _is_known(question, known)
    ]


def _with_asked(known: Answers) -> Answers:
    """Ask for missing answers; without a terminal, fail and name the flags to use."""
    try:
        return _ask_all(known)
    except click.Abort:
        # On a terminal the person has pressed Ctrl-C, and knows why it ends.
        if sys.stdin.isatty():
            raise
        click.echo()  # end the line of the prompt
        needed = ", ".join(_missing_flags(known)) or "nothing more"
        raise click.UsageError(
            "cannot ask: standard input is not a terminal, and has ended; "
            f"--yes asks nothing, and needs {needed}"
        ) from None


def _ask_all(known: Answers) -> Answers:
    """Ask for what is not known; repeat a question until the answer is valid."""
    answers = dict(known)
    for question in QUESTIONS:
        needed = question is not PASSWORD or answers.get("smtp_username")
        if needed and not _is_known(question, answers):
            answers[question.name] = _ask(question, answers)
    return answers


def _is_known(question: Question, known: Answers) -> bool:
    return question.name in known or f"{question.name}_file" in known


def _default(question: Question, known: Answers) -> str | None:
    return question.default(known) if callable(question.default) else question.default


def _ask(question: Question, known: Answers) -> Any:
    default = _default(question, known)
    while True:
        text = click.prompt(
            question.prompt, default=default, show_default=bool(default), hide_input=question.hidden
        )
        answer = _convert(question, text)
        objections = _objections(question, {**known, question.name: answer})
        if not objections:
            return answer
        click.echo("\n".join(f"  {objection}" for objection in objections), err=True)


def _convert(question: Question, given: Any) -> Any:
    """Convert an answer to its TOML type: a list of recipients, a port number, else text."""
    match question.name:
        case "recipient":
            # A flag that can be repeated arrives as a tuple.
            return list(given) if isinstance(given, tuple) else _split(given)
        case "smtp_port" if given.isascii() and given.isdigit():
            return int(given)
        case _:
            return given


def _split(text: str) -> list[str]:
    """Split at commas, but not inside quotes, where they belong to a name."""
    parts = re.findall(r'(?:"[^"]*"|[^,"]|")+', text)
    return [part.strip() for part in parts if part.strip()]


def _objections(question: Question, known: Answers) -> list[str]:
    """Return what is wrong with one answer; what other answers still lack is ignored."""
    option = dotted(question.where(_account_id(known)))
    # The whole configuration is checked, because the rules of one answer depend on others.
    try:
        login_only = known.get("smtp_username") and question is not PASSWORD
        environ = PLACEHOLDER_PASSWORD if login_only else {}
        # The whole configuration is checked, so that the rules are written in one place only.
        config.parse(config_text(_tree(known)), Path("config.toml"), environ=environ)
    except ConfigError as error:
        concerned = (problem for problem in error.problems if problem.path.startswith(option))
        return [problem.message for problem in concerned]
    return []


def _refuse_wrong(text: str, file: Path, known: Answers, environ: Mapping[str, str]) -> None:
    """Raise ConfigError if the answers are not valid together with the environment."""
    try:
        config.parse(text, file, environ=environ)
    except ConfigError as error:
        raise ConfigError(tuple(_by_flag(one, known) for one in error.problems)) from None


def _by_flag(problem: Problem, known: Answers) -> Problem:
    """Replace the line by the flag, because the file is not written if there are problems."""
    flags = {dotted(one.where(_account_id(known))): one.flag for one in QUESTIONS}
    flags |= {f"{path}_file": f"{flag}-file" for path, flag in flags.items()}
    flag = flags.get(problem.path.partition("[")[0])
    if problem.line is None or flag is None:
        return problem
    if flag == "--smtp-username":  # already checked alone, so that only a password can be missing
        way = "name the file that holds it with --smtp-password-file"
        return Problem(flag, None, "", f"has no password; {way}, or set {PASSWORD_VARIABLE}")
    return Problem(flag, None, "", problem.message)


def _tree(known: Answers) -> Tree:
    """Return the configuration with the known answers."""
    tree: Tree = {}
    for question in QUESTIONS:
        where = question.where(_account_id(known))
        if (answer := known.get(question.name, "")) != "":
            put(tree, where, answer)
        if file := known.get(f"{question.name}_file"):
            put(tree, (*where[:-1], f"{where[-1]}_file"), file)
    if host := known.get("smtp_host"):
        put(tree, ("smtp", "tls"), _tls(host, known.get("smtp_port")))
    return tree


def _tls(host: str, port: object) -> str:
    """Derive the encryption from the port; other ports than 465 nearly always use STARTTLS."""
    if port == 465:
        return "implicit"
    return "none" if is_loopback(host) and port != 587 else "starttls"


def _account_id(known: Answers) -> str:
    """Derive the permanent id of the account from its name, in ASCII."""
    # NFKD takes letters apart from their accents, which are then dropped: "Čaj" becomes "caj".
    letters = unicodedata.normalize("NFKD", str(known.get("account_name", ""))).lower()
    words = re.findall(r"[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c)))
    return "-".join(words)[:40].strip("-") or "account"


def _write(file: Path, text: str, *, replace: bool) -> None:
    try:
        write_private(file, text.encode(), replace=replace)
    except OSError as error:
        message = f"cannot be written ({error.strerror}); name another file with --config"
        raise ConfigError((Problem(str(file), None, "", message),)) from error


def _print_next_steps(invocation: Invocation, file: Path) -> None:
    command_line = f"notifier --config {file}" if invocation.config_file else "notifier"
    invocation.echo(f"Wrote {file}; only you can read it. Next steps:")
    invocation.echo(f"  {command_line} check --online   try the logins; sends nothing")
    invocation.echo(f"  {command_line} run              send what is due; let a timer call it")
