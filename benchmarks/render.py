"""Time and memory to compose, render and freeze a digest with its CSV.

Each size runs in a separate process. For comparison, a plain Jinja loop renders one table row with
number, title and price for every order. The mail shows only as many rows as fit, so beyond some
hundred orders only the CSV grows. Workbook and pick-up sheet, which are optional, are measured
separately.

    python benchmarks/render.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment

from notifier.domain.digest import Digest, compose
from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.reading import Complete
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.schedule import Schedule
from notifier.domain.settings import Account, MailOptions, MarketplaceAccess, Secret, Sender
from notifier.i18n.language import Money
from notifier.mail.attachments.csv import orders_csv
from notifier.mail.attachments.sheet import pickup_sheet
from notifier.mail.attachments.xlsx import orders_xlsx
from notifier.mail.freeze import Attachment, freeze
from notifier.mail.render import Renderer

SIZES = (100, 1_000, 10_000, 100_000)
EXTRA_SIZES = (100, 1_000, 10_000)
ACCOUNTS = 1_000
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
BOX = Mailbox("parcels@example.com", "Parcels")
READER = Recipient(Mailbox("jana@example.com", "Jana"), "sl", "warehouse")
ACCOUNT = Account(
    "shop",
    "Shop",
    MarketplaceAccess("https://api.example.com", Secret("x"), "Europe/Prague"),
    Schedule(NOW.time(), "Europe/Ljubljana"),
    (READER,),
    "sl",
    order_url="https://portal.example/orders/{id}",
)
SENDER = Sender(BOX, BOX, BOX, BOX)
BARE = """<table>{% for o in orders %}<tr><td>{{ o.id }}</td><td>{{ o.items[0].title }}</td>
<td>{{ o.items[0].price.amount }}</td></tr>{% endfor %}</table>"""


def orders(count: int) -> tuple[Order, ...]:
    """Return waiting orders with two items each."""
    return tuple(
        Order(
            id_,
            OrderStatus.SHIPPED,
            ready_to_return=True,
            external_id=f"EXT-{id_}",
            tracking_numbers=(f"MD{id_:09}",),
            tracking_url=f"https://tracking.example/{id_}",
            items=(
                Item(f"Grelnik vode {id_ % 97}", 1, "K-1", "1", Money(Decimal("19.90"), "EUR")),
                Item("Skodelica <0,3 l> & krožnik", 4, "S-2", "2", Money(Decimal("3.50"), "EUR")),
            ),
            currency="EUR",
            shipped_at=NOW - timedelta(days=id_ % 30),
        )
        for id_ in range(4_500_001, 4_500_001 + count)
    )


def seconds_of_ours(renderer: Renderer, waiting: tuple[Order, ...], account: Account) -> float:
    """Return the seconds to compose, render and freeze one digest."""
    began = time.perf_counter()
    reading = Complete(NOW, waiting, candidates=len(waiting))
    digest = compose(account, reading, None, date(2026, 11, 22))
    options = account.mail_options(READER)
    mail = renderer.digest(digest, options, SENDER)
    file = orders_csv(digest, options)
    freeze(
        mail,
        (file,),
        recipient=READER,
        account=account,
        sender=SENDER,
        day=digest.day,
        edition=1,
        at=NOW,
    )
    return time.perf_counter() - began


def measure(count: int) -> None:
    """Print the seconds of the digest and of the plain loop, and the MB before and after.

    Runs in a separate process, because a peak of memory cannot be reset.
    """
    waiting = orders(count)
    renderer = Renderer()
    seconds_of_ours(renderer, waiting[:10], ACCOUNT)
    template = Environment(autoescape=True).from_string(BARE)
    before = _resident()
    ours = seconds_of_ours(renderer, waiting, ACCOUNT)
    after = _peak()
    began = time.perf_counter()
    template.render(orders=waiting)
    bare = time.perf_counter() - began
    print(ours, bare, before, after)


def measure_file(make: Callable[[Digest, MailOptions], Attachment], count: int) -> None:
    """Print the seconds, the MB before and after, and the bytes of one attachment."""
    reading = Complete(NOW, orders(count), candidates=count)
    digest = compose(ACCOUNT, reading, None, date(2026, 11, 22))
    options = ACCOUNT.mail_options(READER)
    # The first call imports libraries, which is not measured.
    make(replace(digest, new=digest.new[:1], waiting=digest.waiting[:1]), options)
    before, began = _resident(), time.perf_counter()
    file = make(digest, options)
    print(time.perf_counter() - began, before, _peak(), len(file.content))


def measure_accounts() -> None:
    """Print the seconds of many accounts that share templates: only the first one compiles them."""
    waiting, renderer = orders(10), Renderer()
    first = seconds_of_ours(renderer, waiting, ACCOUNT)
    others = [seconds_of_ours(renderer, waiting, ACCOUNT) for _ in range(ACCOUNTS)]
    print(first, sum(others) / ACCOUNTS, max(others))


def _resident() -> float:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _peak() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


EXTRAS = {file.__name__: file for file in (orders_xlsx, pickup_sheet)}


def run(call: str) -> list[float]:
    """Do a call in a separate process and return the numbers that it prints."""
    code = f"import render; render.{call}"
    path = os.pathsep.join([str(Path(__file__).resolve().parent), *sys.path])
    environ = {**os.environ, "PYTHONPATH": path}
    out = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True)
    return [float(word) for word in out.stdout.split()]


def main() -> None:
    """Run all measurements and print the results."""
    print(f"{'orders':>8}{'ours':>10}{'bare loop':>11}{'ratio':>8}{'grown by':>11}{'each':>10}")
    for count in SIZES:
        ours, bare, before, after = run(f"measure({count})")
        print(
            f"{count:8}{ours:8.3f} s{bare:9.4f} s{ours / bare:8.1f}{after - before:8.0f} MB"
            f"{ours / count * 1e6:7.0f} µs"
        )
    for name in EXTRAS:
        for count in EXTRA_SIZES:
            seconds, before, after, size = run(f"measure_file(render.{name}, {count})")
            print(
                f"{count:8} {name}: {seconds:.3f} s, {seconds / count * 1e6:.0f} µs each, grown by "
                f"{after - before:.0f} MB, {size / 1e6:.2f} MB in the mail before base64"
            )
    first, mean, worst = run("measure_accounts()")
    print(
        f"{ACCOUNTS} accounts of 10 orders: the first {first * 1000:.0f} ms, the others "
        f"{mean * 1000:.1f} ms each, at most {worst * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
