"""The operator's own templates run in a sandbox that harms nothing when they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from notifier.errors import TemplatesBroken
from notifier.mail.render import RenderedMail, Renderer
from notifier.mail.sandbox import sandboxed
from notifier.mail.templates import LARGEST_TEMPLATE
from tests.days import DAYS
from tests.factories import account, mail_options, sender

SUBJECT = "mail/digest/subject.txt"
BODY = "mail/digest/body.html"
SECRET = "canary-secret-of-the-environment"


@dataclass(frozen=True)
class Shown:
    """Something to print."""

    title: str = "<b>Čaj</b>"
    items: tuple[str, ...] = ("a", "b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mail" / "digest").mkdir(parents=True)
    return tmp_path


def write(folder: Path, template: str, name: str = BODY) -> None:
    (folder / name).write_text(template, encoding="utf-8")


def rendered(folder: Path, template: str, name: str = BODY, *, seconds: float = 10) -> str:
    write(folder, template, name)
    with sandboxed(folder, seconds=seconds) as templates:
        return templates.render(name, "sl", {"mail": Shown(), "orders": Shown()})


def why_not(folder: Path, template: str, name: str = BODY, *, seconds: float = 10) -> str:
    with pytest.raises(TemplatesBroken) as caught:
        rendered(folder, template, name, seconds=seconds)
    return str(caught.value)


def test_values_are_printed_as_in_the_main_process(folder: Path) -> None:
    template = "{{ mail.title }}{% for one in mail.items %} {{ one }}{% endfor %} {{ _('yes') }}"

    assert rendered(folder, template) == "&lt;b&gt;Čaj&lt;/b&gt; a b da"
    assert rendered(folder, template, SUBJECT) == "<b>Čaj</b> a b da"


@pytest.mark.parametrize("name", DAYS)
def test_the_built_in_templates_print_the_same_in_the_sandbox(tmp_path: Path, name: str) -> None:
    def mail(renderer: Renderer) -> RenderedMail:
        return renderer.digest(DAYS[name](), mail_options(account(), "sl", "warehouse"), sender())

    assert mail(Renderer(tmp_path)) == mail(Renderer())


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ mail.nonsense }}", "UndefinedError: "),
        ("{{ nonsense }}", "UndefinedError: 'nonsense' is undefined"),
        ("{% for %}", "TemplateSyntaxError: "),
        ("{{ 1 / 0 }}", "ZeroDivisionError: "),
        ("{{ mail.title|safe }}", "No filter named 'safe'"),
        ("{{ mail|attr('title') }}", "No filter named 'attr'"),
        ("{{ mail.items|map('attr', 'upper')|list }}", "No filter named 'attr'"),
        ("{{ mail.items|map(attribute='__class__')|first }}", "Error: "),
        ("{{ mail.title|tojson }}", "No filter named 'tojson'"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ cycler('a') }}", "'cycler' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError: "),
        ("{{ mail.__class__ }}", "SecurityError: "),
        ("{{ _.__globals__ }}", "SecurityError: "),
        ("{{ _.__self__ }}", "SecurityError: "),
        ("{% include '../../../etc/passwd' %}", "TemplateNotFound: "),
        ("{% include '/etc/passwd' %}", "TemplateNotFound: "),
        ("{% include 'mail/large.txt' %}", "larger than 256 KiB"),
        ("{% include 'mail/link.txt' %}", "TemplateNotFound: "),
        ("{% for n in range(100000000) %}{{ n }}{% endfor %}", "OverflowError: "),
        ("{% for n in range(90000) %}{{ 'x' * 100 }}{% endfor %}", "prints more than 1048576"),
        ("{{ 'x' * 2000000000 }}", "MemoryError: "),
    ],
)
def test_a_forbidden_operation_of_a_template_is_reported(
    folder: Path, template: str, reason: str
) -> None:
    (folder / "mail" / "large.txt").write_bytes(b"x" * (LARGEST_TEMPLATE + 1))
    # Jinja's own loader would follow it.
    (folder / "mail" / "link.txt").symlink_to("/etc/passwd")

    error = why_not(folder, template)

    assert error.startswith(f"{BODY}: ")
    assert reason in error


def test_a_template_that_runs_too_long_is_stopped(folder: Path) -> None:
    loops = "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"

    assert why_not(folder, loops, seconds=1).endswith("it takes too long, or too much memory")


def test_it_sees_no_variables_and_can_write_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD", SECRET)
    with sandboxed(folder) as templates:
        # A test cannot ask the process itself: it answers only with rendered templates.
        environ = Path(f"/proc/{templates._process.pid}/environ").read_bytes()
        write(folder, "x", SUBJECT)
        templates.render(SUBJECT, "en", {})  # now its limits are set
        limits = Path(f"/proc/{templates._process.pid}/limits").read_text(encoding="ascii")

    assert SECRET.encode() not in environ
    assert {"Max file size 0 0 bytes", "Max cpu time 5 5 seconds"} <= {
        " ".join(line.split()) for line in limits.splitlines()
    }


def children() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == os.getpid():
                yield int(entry.name)


def test_no_process_is_left_behind(folder: Path) -> None:
    before = set(children())
    rendered(folder, "x")
    why_not(folder, "{{ nonsense }}")

    assert set(children()) == before
