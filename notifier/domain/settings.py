"""What an operator configured, as checked values without the file they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from notifier.domain.branding import Branding
from notifier.domain.reading_plan import Policy
from notifier.domain.recipients import AttachmentKind, Mailbox, Recipient
from notifier.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must not be shown: its repr and str are masked."""

    value: str = field(repr=False)

    # An f-string or a log line would otherwise show it.
    def __str__(self) -> str:
        return "••••"


class WhenEmpty(StrEnum):
    """What to do on a day with nothing to collect and nothing collected."""

    SEND = "send"
    SKIP = "skip"


class OnUnknown(StrEnum):
    """What to do with a message whose delivery is unknown."""

    RESEND = "resend"
    """Send the same bytes again: the message may arrive twice."""
    HOLD = "hold"
    """Keep it until a person decides: it may never arrive."""


class CsvHeadings(StrEnum):
    """The first row of the CSV."""

    TRANSLATED = "translated"
    NAMES = "names"
    """The names of the columns, for programs: the same in every language."""


@dataclass(frozen=True, slots=True)
class PlaceOfReturn:
    """Where the parcels of an account wait; the API does not say, so the seller does."""

    name: str
    address: str = ""
    opening_hours: str = ""
    pickup_password: Secret | None = None
    """The password that the branch asks for; shown to `Account.password_groups` only."""


@dataclass(frozen=True, slots=True)
class MarketplaceAccess:
    """How to reach the marketplace for one account."""

    base_url: str
    client_id: Secret
    timezone: str
    """IANA name of the zone of its timestamps, which carry no offset."""
    # 2,000 orders take 4 calls instead of the 40 of the smallest pages, and a list that moves while
    # it is read has fewer gaps.
    page_size: int = 1000
    # Each detail is a call of its own: one after the other, 2,000 would take many minutes.
    concurrency: int = 24
    request_timeout: timedelta = timedelta(seconds=30)
    run_timeout: timedelta = timedelta(minutes=15)
    test_orders: bool = False
    policy: Policy = field(default_factory=Policy)
    reserve_calls: int = 0
    """Calls of a day left for the seller's other systems."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its timestamps."""
        return ZoneInfo(self.timezone)


class FileFormat(StrEnum):
    """The format of a file of orders."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How to read the orders of one account from a file that another program writes."""

    # A URL may be enough to read the list, for example with a token in its query.
    location: Path | Secret
    """A local path, or a URL, which is a secret."""
    format: FileFormat
    columns: Mapping[str, str]
    """Our column names ("id", "tracking", …) and the file's names of them."""
    timezone: str
    """IANA name of the zone of times without an offset."""
    ready_values: frozenset[str] = frozenset()
    """Lower-case values of the column "ready" that mean yes. Without the column every row waits."""
    collected_values: frozenset[str] = frozenset()
    records: str | None = None
    """Dotted path of the list in a JSON document; None if the document is the list."""
    delimiter: str = ","
    # Reads UTF-8 with the byte order mark that Excel writes, and without.
    encoding: str = "utf-8-sig"
    decimal: str = "."
    date_format: str | None = None
    """As for `datetime.strptime`; None for ISO 8601."""
    currency: str | None = None
    """The currency of amounts in rows without one."""
    # A file that is written once a day, and half a day of delay: an older one would report parcels
    # that were collected long ago.
    max_age: timedelta = timedelta(hours=36)
    request_timeout: timedelta = timedelta(seconds=30)
    run_timeout: timedelta = timedelta(minutes=15)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class MailOptions:
    """How the digest looks for one recipient. Recipients with equal options share one rendering."""

    # The key of those renderings, so every field must be hashable.

    language: str
    group: str | None = None
    """The contact group that the mail names as the reason it is sent; None without one."""
    columns: tuple[str, ...] = ()
    """Names of `columns.COLUMNS` in the order they are shown; empty for all."""
    attachments: tuple[AttachmentKind, ...] = ()
    csv_headings: CsvHeadings = CsvHeadings.TRANSLATED
    branding: Branding = field(default_factory=Branding)
    place: PlaceOfReturn | None = None
    """Without the pickup password unless this recipient may see it."""
    order_url: str | None = None
    reads_file: bool = False
    """Whether the orders come from a file: then there is no portal to look them up in."""

    def shows(self, column: str) -> bool:
        """Whether the mail shows this column."""
        return not self.columns or column in self.columns


@dataclass(frozen=True, slots=True)
class Account:
    """One seller account at the marketplace, and the digest it wants."""

    # With another id the account would be a new one: every order new, and today's digest due again.
    id: str
    """The key of the account in the run ledger; it must never change."""
    name: str
    access: MarketplaceAccess | FileAccess
    schedule: Schedule
    recipients: tuple[Recipient, ...]
    language: str
    place: PlaceOfReturn | None = None
    order_url: str | None = None
    """URL of an order in the seller's portal, with `{id}` in it."""
    when_empty: WhenEmpty = WhenEmpty.SEND
    overdue_days: int = 5
    attachments: tuple[AttachmentKind, ...] = (AttachmentKind.CSV,)
    """The attachments of recipients whose groups choose none."""
    csv_headings: CsvHeadings = CsvHeadings.TRANSLATED
    alarm_after: timedelta = timedelta(hours=2)
    """How long after `send_at` an unreadable list becomes an alarm and a notice."""
    webhook_tokens: tuple[Secret, ...] = ()
    """The tokens of webhook URLs: one, or two while one replaces the other."""
    password_groups: frozenset[str] = frozenset()
    """The contact groups whose mail shows the pickup password."""
    branding: Branding = field(default_factory=Branding)
    columns: tuple[str, ...] = ()
    """Names of `columns.COLUMNS` in the order shown; empty for all."""

    def mail_options(self, recipient: Recipient) -> MailOptions:
        """Resolve what the account, its groups and the recipient choose."""
        place, may_see_password = self.place, recipient.group in self.password_groups
        # Taken out before the template is rendered: an own template cannot show it by mistake.
        if place and not may_see_password:
            place = replace(place, pickup_password=None)
        own = recipient.attachments
        return MailOptions(
            language=recipient.language,
            group=recipient.group,
            columns=recipient.columns or self.columns,
            attachments=self.attachments if own is None else own,
            csv_headings=self.csv_headings,
            branding=self.branding,
            place=place,
            order_url=self.order_url,
            reads_file=isinstance(self.access, FileAccess),
        )

    @property
    def marketplace(self) -> MarketplaceAccess:
        """How to reach the marketplace; raises ValueError for an account that reads a file."""
        if isinstance(self.access, MarketplaceAccess):
            return self.access
        raise ValueError(f"{self.id} reads a file")


class Tls(StrEnum):
    """How the connection to the mail server is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"
    """Allowed to loopback only."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """How to reach the mail server. Certificates are always verified."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=30)
    # A digest that arrives twice is a smaller harm than one that never arrives.
    on_unknown: OnUnknown = OnUnknown.RESEND


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from, and where replies, bounces and requests to unsubscribe go."""

    mailbox: Mailbox
    reply_to: Mailbox
    envelope: Mailbox
    admin: Mailbox
    idempotency_header: str | None = None
    """Name of a header by which a relay recognizes and drops the second copy of a message."""


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Where the store is, and how long it keeps message bodies."""

    url: str = field(repr=False)
    """A SQLAlchemy URL; it may contain a password."""
    # Bodies hold the seller's orders. A week leaves time to send a message again by hand.
    retention: timedelta = timedelta(days=7)
    identity: str | None = None
    """Name of the machine that the store belongs to; None for the machine's own id."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration, checked and resolved."""

    accounts: Mapping[str, Account]
    smtp: SmtpServer
    sender: Sender
    store: StoreLocation
    templates_dir: Path | None = None
    ping_url: str | None = field(default=None, repr=False)
    """URL of the monitor; a secret, because it is enough to send false signals."""
    health_listen: str | None = None
    """`host:port`, or the path of a socket."""
    webhook_listen: str | None = None
    """`host:port`, or the path of a socket."""
