"""The parts a door hands on: settings as values, without the file they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from notifier.domain.attachments import AttachmentKind, CsvHeadings
from notifier.domain.reading_plan import Policy
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must not be shown: its repr and str are masked."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "••••"


class WhenEmpty(StrEnum):
    """What a day on which nothing waits and nothing was collected does."""

    SEND = "send"
    SKIP = "skip"


class OnUnknown(StrEnum):
    """What is done with a message of which nobody knows whether the mail server has it."""

    RESEND = "resend"
    """Sent again, byte for byte: it may arrive twice."""
    HOLD = "hold"
    """Kept until a person decides: it may have arrived, or not."""


HEADER_COLOR = "#12404f"
LINK_COLOR = "#0a5c91"


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that goes with each mail: `subtype` as in `image/png`."""

    subtype: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Branding:
    """The colours of an account's mails, as #rrggbb, and its logo."""

    header: str = HEADER_COLOR
    link: str = LINK_COLOR
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class PlaceOfReturn:
    """Where the parcels of an account wait: the API does not tell, so the seller does."""

    name: str
    address: str = ""
    opening_hours: str = ""
    pickup_password: Secret | None = None
    """What the branch asks for. It is for those groups alone that may see it."""


@dataclass(frozen=True, slots=True)
class MarketplaceAccess:
    """How to reach the marketplace for one account."""

    base_url: str
    client_id: Secret
    timezone: str
    """IANA name of the zone its timestamps are in; they carry no offset."""
    page_size: int = 1000
    concurrency: int = 24
    request_timeout: timedelta = timedelta(seconds=30)
    run_timeout: timedelta = timedelta(minutes=15)
    test_orders: bool = False
    policy: Policy = field(default_factory=Policy)
    reserve_calls: int = 0
    """Of the calls of a day: so many are left for the seller's other systems."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its timestamps."""
        return ZoneInfo(self.timezone)


class FileFormat(StrEnum):
    """What a file of orders is written in."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How to read the orders of one account from a file that another program writes."""

    location: Path | Secret
    """A file of this machine, or an address of the web: whoever knows it may read the list."""
    format: FileFormat
    columns: Mapping[str, str]
    """Of our columns ("id", "tracking", …) those there are, and what the file calls them."""
    timezone: str
    """IANA name of the zone its times are in where they carry no offset."""
    ready_values: frozenset[str] = frozenset()
    """Of the column "ready", in lower case: such a row waits. Without the column every row does."""
    collected_values: frozenset[str] = frozenset()
    records: str | None = None
    """Where in a JSON document the list is, by a dotted path; None where it is all of it."""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal: str = "."
    date_format: str | None = None
    """As `datetime.strptime` has it; None for ISO 8601."""
    currency: str | None = None
    """That of all amounts of rows that do not tell one."""
    max_age: timedelta = timedelta(hours=36)
    request_timeout: timedelta = timedelta(seconds=30)
    run_timeout: timedelta = timedelta(minutes=15)

    @property
    def zone(self) -> ZoneInfo:
        """The clocks its times are of."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class MailOptions:
    """How the digest looks for one recipient. Recipients with equal options share one rendering."""

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

    id: str
    """Fixed for ever: the run ledger knows the account by it."""
    name: str
    reads: MarketplaceAccess | FileAccess
    schedule: Schedule
    recipients: tuple[Recipient, ...]
    language: str
    place: PlaceOfReturn | None = None
    order_url: str | None = None
    """Page of one order in the seller's portal, with `{id}` in it."""
    when_empty: WhenEmpty = WhenEmpty.SEND
    overdue_days: int = 5
    attachments: tuple[AttachmentKind, ...] = (AttachmentKind.CSV,)
    """For whom no group asks for others."""
    csv_headings: CsvHeadings = CsvHeadings.TRANSLATED
    alarm_after: timedelta = timedelta(hours=2)
    """After this long beyond its time, an unreadable list is told in a notice."""
    webhook_tokens: tuple[Secret, ...] = ()
    """What the marketplace's posts about its orders are known by: one, or two while one takes
    the place of the other."""
    password_groups: frozenset[str] = frozenset()
    """The contact groups whose mail shows the pickup password."""
    branding: Branding = field(default_factory=Branding)
    columns: tuple[str, ...] = ()
    """What is told of an order, in which order, by the names of `columns.COLUMNS`; empty: all."""

    def mail_options(self, recipient: Recipient) -> MailOptions:
        """Resolve once what the account, its groups and the recipient choose."""
        place, may_see_password = self.place, recipient.group in self.password_groups
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
            reads_file=isinstance(self.reads, FileAccess),
        )

    @property
    def marketplace(self) -> MarketplaceAccess:
        """How to reach the marketplace; raises ValueError for an account that reads a file."""
        if isinstance(self.reads, MarketplaceAccess):
            return self.reads
        raise ValueError(f"{self.id} reads a file")


class Tls(StrEnum):
    """How the connection to the mail server is protected."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"
    """To loopback only."""


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
    on_unknown: OnUnknown = OnUnknown.RESEND


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from, and where answers, bounces and unsubscriptions go."""

    mailbox: Mailbox
    reply_to: Mailbox
    envelope: Mailbox
    admin: Mailbox
    idempotency_header: str | None = None
    """Name of a header by which a relay drops the second copy of a message."""


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Where the store is: a SQLAlchemy URL, and how long it keeps bodies."""

    url: str = field(repr=False)
    """May hold a password."""
    retention: timedelta = timedelta(days=7)
    identity: str | None = None
    """Names the machine the store belongs to, instead of the machine's own id."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator configured, checked and resolved."""

    accounts: Mapping[str, Account]
    smtp: SmtpServer
    sender: Sender
    store: StoreLocation
    templates_dir: Path | None = None
    ping_url: str | None = field(default=None, repr=False)
    """A monitor that misses us; whoever knows it can speak for us."""
    health_listen: str | None = None
    """`host:port`, or the path of a socket."""
    webhook_listen: str | None = None
    """The same, for what the marketplace posts."""
