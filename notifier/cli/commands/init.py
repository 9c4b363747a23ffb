"""`notifier init`: a first configuration from a few questions, or from flags."""

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
from notifier.config.file import write_private
from notifier.config.layers import Tree, put
from notifier.config.new_file import config_text
from notifier.config.toml import Where, dotted
from notifier.config.values import is_loopback
from notifier.errors import ConfigError, Problem

Answers = Mapping[str, Any]
"""What is known, by the name of its question; a file that holds it, by that name and "_file"."""

BY_ENVIRONMENT = "NOTIFIER_SMTP__PASSWORD"
TRIED_WITH = {BY_ENVIRONMENT: "…"}
"""So that a login is not refused for want of the password, which is the next question."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know, from the flag of the same name or by asking.

    "ID" in `option` stands for the account's id. `default` may depend on earlier answers; None
    means that there must be an answer, empty that it may be left out.
    """

    name: str
    option: tuple[str, ...]
    asks: str
    default: str | Callable[[Answers], str] | None = None
    hidden: bool = False

    @property
    def flag(self) -> str:
        """The flag that answers it."""
        return f"--{self.name.replace('_', '-')}"

    def where(self, account: str) -> Where:
        """The place of the answer in the configuration."""
        return tuple(account if part == "ID" else part for part in self.option)


def _login_or_admin(known: Answers) -> str:
    login = str(known.get("smtp_username", ""))
    return login if "@" in login else str(known["admin"])


PASSWORD = Question(
    "smtp_password", ("smtp", "password"), "Password there (not shown)", hidden=True
)
QUESTIONS = (
    Question("account_name", ("accounts", "ID", "name"), "Name of the seller account"),
    Question(
        "client_id", ("accounts", "ID", "client_id"), "Its client_id (not shown)", hidden=True
    ),
    Question("recipient", ("accounts", "ID", "recipients"), "Who gets the digest (a, b, …)"),
    Question("place", ("accounts", "ID", "place", "name"), "Branch where the parcels wait", ""),
    Question("admin", ("admin",), "Who is told of failures"),
    Question("smtp_host", ("smtp", "host"), "Mail server"),
    Question("smtp_port", ("smtp", "port"), "Its port", "465"),
    Question("smtp_username", ("smtp", "username"), "Login there, if it wants one", ""),
    PASSWORD,
    Question("smtp_from", ("smtp", "from"), "Who the mail is from", _login_or_admin),
    Question("send_at", ("digest", "send_at"), "When the digest is sent", "06:00"),
    Question("timezone", ("digest", "timezone"), "Time zone of that", "Europe/Prague"),
    Question("language", ("digest", "language"), "Language of the digest", "en"),
)


@click.command
@click.option("--account-name", metavar="NAME", help="What the mail calls the seller account.")
@click.option("--client-id", metavar="TEXT", help="API credential of the account.")
@click.option("--client-id-file", metavar="FILE", help="A file that holds it, instead.")
@click.option("--recipient", metavar="ADDRESS", multiple=True, help="Who gets it; repeatable.")
@click.option("--place", metavar="NAME", help="Branch where the parcels wait.")
@click.option("--admin", metavar="ADDRESS", help="Who is told of failures.")
@click.option("--smtp-host", metavar="HOST", help="Mail server.")
@click.option("--smtp-port", metavar="PORT", help="465 (the default), or 587 for STARTTLS.")
@click.option("--smtp-username", metavar="NAME", help="Login at the mail server.")
@click.option("--smtp-password-file", metavar="FILE", help="A file that holds its password.")
@click.option(
    "--smtp-from", metavar="ADDRESS", help="Who the mail is from. Default: the login, or the admin."
)
@click.option("--send-at", metavar="HH:MM", help="When it is sent. Default: 06:00.")
@click.option("--timezone", metavar="ZONE", help="Time zone of that. Default: Europe/Prague.")
@click.option("--language", metavar="CODE", help="Language of the digest. Default: en.")
@click.option("--yes", "--non-interactive", "yes", is_flag=True, help="Ask nothing.")
@click.option("--force", is_flag=True, help="Replace the configuration that is there.")
@pass_invocation
def command(invocation: Invocation, /, *, yes: bool, force: bool, **flags: Any) -> None:
    """Write a commented config.toml from a few questions."""

    file = _target(invocation)
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already; --force replaces it")
    known = _from_flags(flags)
    text = config_text(_tree(_with_defaults(known) if yes else _with_answers(known)))
    _refuse_wrong(text, file, known, invocation.environ)
    _write(file, text, replace=force)
    _tell_next(invocation, file)


def _target(invocation: Invocation) -> Path:
    """Where the other commands look first; not in /etc, unless that is named."""
    named = invocation.environ.get("NOTIFIER_CONFIG")
    return invocation.config_file or Path(named or "config.toml")


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The answers given on the command line, each of them right by itself."""
    known: dict[str, Any] = {
        name: str(Path(value).absolute())
        for name, value in flags.items()
        if name.endswith("_file") and value
    }
    for question in QUESTIONS:
        if given := flags.get(question.name):
            known[question.name] = _read(question, given)
            for objection in _objections(question, known):
                raise click.BadParameter(objection, param_hint=question.flag)
    return known


def _with_defaults(known: Answers) -> Answers:
    if gaps := _gaps(known):
        raise click.UsageError(f"with --yes there must be {', '.join(gaps)}")
    defaults = {one.name: _read(one, _default(one, known) or "") for one in QUESTIONS}
    return {**defaults, **known}


def _gaps(known: Answers) -> list[str]:
    """The flags without which there is nothing to go by."""
    return [
        question.flag
        for question in QUESTIONS
        if question.default is None and question is not PASSWORD and not _is_known(question, known)
    ]


def _with_answers(known: Answers) -> Answers:
    """Ask; where nobody is there to answer, say how to do without."""
    try:
        return _with_asked(known)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo()  # ends the line of the question
        needed = ", ".join(_gaps(known)) or "nothing more"
        raise click.UsageError(
            "nobody is there to answer (standard input is no terminal, and has ended); "
            f"--yes asks nothing, and needs {needed}"
        ) from None


def _with_asked(known: Answers) -> Answers:
    """Ask for what is not known; a wrong answer is told, and asked for again."""
    answers = dict(known)
    for question in QUESTIONS:
        needless = question is PASSWORD and not answers.get("smtp_username")
        if not needless and not _is_known(question, answers):
            answers[question.name] = _asked(question, answers)
    return answers


def _is_known(question: Question, known: Answers) -> bool:
    return question.name in known or f"{question.name}_file" in known


def _default(question: Question, known: Answers) -> str | None:
    return question.default(known) if callable(question.default) else question.default


def _asked(question: Question, known: Answers) -> Any:
    default = _default(question, known)
    while True:
        text = click.prompt(
            question.asks, default=default, show_default=bool(default), hide_input=question.hidden
        )
        answer = _read(question, text)
        objections = _objections(question, {**known, question.name: answer})
        if not objections:
            return answer
        click.echo("\n".join(f"  {objection}" for objection in objections), err=True)


def _read(question: Question, given: Any) -> Any:
    """An answer as TOML has it: a list of recipients, a number of a port, else text."""
    match question.name:
        case "recipient":
            return list(given) if isinstance(given, tuple) else _split(given)
        case "smtp_port" if given.isascii() and given.isdigit():
            return int(given)
        case _:
            return given


def _split(text: str) -> list[str]:
    """The parts between commas; a comma in quotes belongs to a name."""
    parts = re.findall(r'(?:"[^"]*"|[^,"]|")+', text)
    return [part.strip() for part in parts if part.strip()]


def _objections(question: Question, known: Answers) -> list[str]:
    """What the configuration has against one answer; all it still lacks does not count."""

    option = dotted(question.where(_account_id(known)))
    try:
        login_only = known.get("smtp_username") and question is not PASSWORD
        environ = TRIED_WITH if login_only else {}
        config.parse(config_text(_tree(known)), Path("config.toml"), environ=environ)
    except ConfigError as error:
        concerned = (problem for problem in error.problems if problem.path.startswith(option))
        return [problem.message for problem in concerned]
    return []


def _refuse_wrong(text: str, file: Path, known: Answers, environ: Mapping[str, str]) -> None:
    """Raise ConfigError for what the answers and the environment together make wrong."""

    try:
        config.parse(text, file, environ=environ)
    except ConfigError as error:
        raise ConfigError(tuple(_by_flag(one, known) for one in error.problems)) from None


def _by_flag(problem: Problem, known: Answers) -> Problem:
    """The same with the flag in place of the line, since the file with that line is not written."""

    flags = {dotted(one.where(_account_id(known))): one.flag for one in QUESTIONS}
    flags |= {f"{path}_file": f"{flag}-file" for path, flag in flags.items()}
    flag = flags.get(problem.path.partition("[")[0])
    if problem.line is None or flag is None:
        return problem
    if flag == "--smtp-username":  # which was right by itself: its password is all it can lack
        way = "name the file that holds it with --smtp-password-file"
        return Problem(flag, None, "", f"has no password; {way}, or set {BY_ENVIRONMENT}")
    return Problem(flag, None, "", problem.message)


def _tree(known: Answers) -> Tree:
    """The configuration that says what is known."""

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
    """How the connection is protected, which follows from the port nearly everywhere."""

    if port == 465:
        return "implicit"
    return "none" if is_loopback(host) and port != 587 else "starttls"


def _account_id(known: Answers) -> str:
    """The id of the account for ever: its name in plain letters."""
    letters = unicodedata.normalize("NFKD", str(known.get("account_name", ""))).lower()
    words = re.findall(r"[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c)))
    return "-".join(words)[:40].strip("-") or "account"


def _write(file: Path, text: str, *, replace: bool) -> None:

    try:
        write_private(file, text.encode(), replace=replace)
    except OSError as error:
        message = f"cannot be written ({error.strerror}); name another file with --config"
        raise ConfigError((Problem(str(file), None, "", message),)) from error


def _tell_next(invocation: Invocation, file: Path) -> None:
    command_line = f"notifier --config {file}" if invocation.config_file else "notifier"
    invocation.echo(f"Wrote {file}; nobody but you can read it. What comes next:")
    invocation.echo(f"  {command_line} check --online   tries the logins, sends nothing")
    invocation.echo(f"  {command_line} run              sends what is due; leave it to a timer")
