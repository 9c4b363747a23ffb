"""Every option of config.toml: its name, type, limits, default and description.

The descriptions are also the comments of config.example.toml and the tables of
docs/configuration.md; a test compares the three. An option whose default is None has an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from notifier.config import values
from notifier.domain.branding import HEADER_COLOR, LINK_COLOR
from notifier.domain.reading_plan import Frequency
from notifier.domain.recipients import AttachmentKind, Mailbox
from notifier.domain.settings import (
    CsvHeadings,
    FileFormat,
    OnUnknown,
    Secret,
    Tls,
    WhenEmpty,
)

Line = Annotated[str, AfterValidator(values.one_line)]
Address = Annotated[InstanceOf[Mailbox], BeforeValidator(values.mailbox)]
SecretText = Annotated[InstanceOf[Secret], BeforeValidator(values.secret)]
TokenText = Annotated[InstanceOf[Secret], BeforeValidator(values.webhook_token)]
TimeOfDay = Annotated[time, BeforeValidator(values.time_of_day)]
Zone = Annotated[str, AfterValidator(values.time_zone)]
Language = Annotated[str, AfterValidator(values.language)]
Host = Annotated[str, AfterValidator(values.host)]
FileLocation = Annotated[InstanceOf[Secret], BeforeValidator(values.file_location)]
Color = Annotated[str, AfterValidator(values.color)]
LinkColor = Annotated[str, AfterValidator(values.link_color)]
Weekday = Annotated[str, AfterValidator(values.weekday)]
Weekdays = Annotated[list[Weekday], Field(min_length=1, max_length=7)]
# Bounds the time of the search through groups within groups.
MOST_GROUPS = 100
# In strict mode pydantic takes only a member of the enum, but TOML has text.
Choice = Field(strict=False)
Columns = Annotated[list[str], AfterValidator(values.columns)]
Attachments = list[Annotated[AttachmentKind, Choice]]


def _optional(description: str, example: object) -> Any:
    """Describe an option that may be left out; the example shows what it could be."""
    return Field(None, description=description, examples=[example])


class TomlTable(BaseModel):
    """A table of the file. Unknown keys are refused, and no error repeats its input."""

    # Without `strict`, pydantic would take `port = true` as 1 and `trust_webhook = "yes"` as true.
    # Its errors would show secrets without `hide_input_in_errors`.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class StoreSection(TomlTable):
    """`[store]`"""

    path: Line | None = _optional(
        "A SQLite file; by default notifier.db in $STATE_DIRECTORY or beside this file.",
        "notifier.db",
    )
    url: Annotated[str, AfterValidator(values.database_url)] | None = _optional(
        "A PostgreSQL database instead of a file; put its password into ~/.pgpass.",
        "postgresql+psycopg://notifier@db.example.com/notifier",
    )
    retention_days: Annotated[int, Field(ge=1, le=366)] = Field(
        7,
        description="Days that delivered mails are kept in full, so that they can be sent again.",
    )

    identity: Line | None = _optional(
        "A name for this machine if it has no machine id, as in a container.", "notifier-1"
    )

    # Fields are checked in the sequence of the class, so `path` must stay above `url`. The same
    # holds for `host` above `tls`, and `from_` above `envelope_from`.
    @field_validator("url")
    @classmethod
    def _one_of_two(cls, url: str | None, others: ValidationInfo) -> str | None:
        if url is not None and others.data.get("path") is not None:
            raise ValueError("is set as well as store.path; keep one of the two")
        return url


class SmtpSection(TomlTable):
    """`[smtp]`"""

    host: Host = Field(
        description="The mail server that mail is sent through.", examples=["smtp.example.com"]
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = _optional(
        'By default 465; 587 with tls = "starttls", 25 with "none".', 465
    )
    tls: Annotated[Tls, Choice] = Field(
        Tls.IMPLICIT,
        description='"implicit", "starttls", or "none" for a server on this machine.',
    )
    username: Line | None = _optional(
        "The user name; leave it out if the server needs no login.", "digest"
    )
    password: SecretText | None = _optional(
        "With it, no other user may read this file; password_file is better.", "…"
    )
    password_file: Line | None = _optional(
        "A file that holds only the password; a path relative to this file.", "smtp-password"
    )
    ca_file: Line | None = _optional(
        "Certificates to trust instead of the system's, relative to this file.", "ca.pem"
    )
    from_: Address = Field(
        alias="from",
        description="The sender of the mail.",
        examples=["Parcels to collect <digest@example.com>"],
    )
    reply_to: Address | None = _optional(
        "Where replies go; by default to the admin.", "Jana Novak <jana@example.com>"
    )
    envelope_from: Address | None = _optional(
        "Where bounces go, in the domain of from; by default to the address in from.",
        "bounces@example.com",
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        30, description="How long the mail server may take to answer one command."
    )
    on_unknown: Annotated[OnUnknown, Choice] = Field(
        OnUnknown.RESEND,
        description='"resend" or "hold" a message whose delivery is unknown.',
    )
    idempotency_header: Annotated[str, AfterValidator(values.header_name)] | None = _optional(
        "A header by which your mail relay drops duplicates; most relays have none.",
        "X-Idempotency-Key",
    )

    @field_validator("tls")
    @classmethod
    def _in_the_clear_only_here(cls, tls: Tls, others: ValidationInfo) -> Tls:
        host = others.data.get("host")
        # Beyond this machine, anybody on the way could read the password and the mail.
        if tls is Tls.NONE and host is not None and not values.is_loopback(host):
            raise ValueError('"none" is for this machine only; write "implicit" or "starttls"')
        return tls

    @field_validator("envelope_from")
    @classmethod
    def _aligned(cls, envelope: Mailbox | None, others: ValidationInfo) -> Mailbox | None:
        sender = others.data.get("from_")
        # DMARC compares the two domains (RFC 7489, 3.1.2).
        if envelope is not None and sender is not None and envelope.domain != sender.domain:
            raise ValueError(
                f'"{envelope.address}" is not in the domain of smtp.from, so that receivers may '
                f"take the mail for forged; write an address @{sender.domain}"
            )
        return envelope


class MarketplaceSection(TomlTable):
    """`[marketplace]`"""

    base_url: Annotated[str, AfterValidator(values.base_url)] = Field(
        "https://mpapi.mallgroup.com", description="The address of the marketplace's API."
    )
    # 2,000 orders take 4 calls of the day's quota instead of 40 with pages of 100.
    page_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        1000, description="Orders per request; the marketplace may send fewer."
    )
    # 24 read 2,000 orders in about four seconds if each answer takes 40 ms; see
    # docs/marketplace.md.
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        24, description="Requests in progress at the same time."
    )
    request_timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        30, description="How long one request may take."
    )
    run_timeout_minutes: Annotated[int, Field(ge=1, le=240)] = Field(
        15, description="Time limit for reading one account; what has been read by then is sent."
    )
    frequency: Annotated[Frequency, Choice] = Field(
        Frequency.DAILY,
        description='"daily" or "alternate" days for orders with no sign of a return; '
        '"all" reads all orders daily.',
    )
    earliest_return_days: Annotated[int, Field(ge=0, le=30)] = Field(
        2, description="Days after shipping before which no order can be ready."
    )
    storage_days: Annotated[int, Field(ge=1, le=60)] = Field(
        7,
        description="Days after shipping when an order that was not collected is sent back.",
    )
    trust_webhook: bool = Field(
        False,
        description="Whether webhooks report every change; other orders are then read less often.",
    )
    # With 3 days and lost webhooks, parcels are missed; `python benchmarks/calls.py` counts them.
    reread_days: Annotated[int, Field(ge=2, le=7)] = Field(
        2, description="Days between readings of other orders while the webhook is trusted."
    )
    reserve_calls: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        0, description="API calls per day that are reserved for your other systems."
    )


class DigestSection(TomlTable):
    """`[digest]`"""

    send_at: TimeOfDay = Field(time(6, 0), description="When the digest is sent.")
    too_late: TimeOfDay = Field(
        time(18, 0),
        description="When it is too late to begin the digest; the day is then skipped.",
    )
    timezone: Zone = Field("Europe/Prague", description="The time zone of send_at and too_late.")
    weekdays: Weekdays = Field(
        list(values.WEEKDAYS), description="The days of the week on which a digest is sent."
    )
    alarm_after_minutes: Annotated[int, Field(ge=10, le=1440)] = Field(
        120,
        description="Minutes after send_at until a notice says that the list cannot be read.",
    )
    language: Language = Field(
        "en", description="The language of the mail, unless a group has another."
    )
    # Sent by default, because silence must not look like success.
    when_empty: Annotated[WhenEmpty, Choice] = Field(
        WhenEmpty.SEND,
        description='"send" or "skip" when nothing waits and nothing was collected.',
    )
    overdue_days: Annotated[int, Field(ge=1, le=365)] = Field(
        5, description="Parcels that wait this many days or longer are marked as overdue."
    )
    attachments: Attachments = Field(
        [AttachmentKind.CSV],
        description='The attached files: "csv", "xlsx", and "sheet", a PDF to print.',
    )
    columns: Columns | None = _optional(
        "The columns of an order, in the sequence of the files; by default all.",
        ["order", "tracking", "items", "days"],
    )
    csv_headings: Annotated[CsvHeadings, Choice] = Field(
        CsvHeadings.TRANSLATED,
        description='The first row of the CSV: "translated", or "names" for programs.',
    )
    test_orders: bool = Field(
        False, description="Whether the marketplace's test orders are included."
    )
    templates_dir: Line | None = _optional(
        "A folder with your own mail templates, relative to this file.", "templates"
    )
    header_color: Color = Field(HEADER_COLOR, description="The colour of the mail's header band.")
    link_color: LinkColor = Field(LINK_COLOR, description="The colour of the mail's links.")
    logo: Line | None = _optional(
        "A PNG, JPEG or GIF for the header band, shown 40 pixels high; 48 KiB at most.", "logo.png"
    )


class AlarmSection(TomlTable):
    """`[alarms]`"""

    ping_url: Annotated[str, AfterValidator(values.ping_url)] | None = _optional(
        "A monitor that is called at the start, success and failure of a day.",
        "https://hc.example.com/ping/7e57ab1e",
    )


class DaemonSection(TomlTable):
    """`[daemon]`"""

    health_listen: Annotated[str, AfterValidator(values.listen_address)] | None = _optional(
        "The daemon's health endpoint: host:port, or the path of a socket.", "127.0.0.1:8686"
    )
    webhook_listen: Annotated[str, AfterValidator(values.listen_address)] | None = _optional(
        "Where the daemon receives webhooks: host:port, or the path of a socket.", "127.0.0.1:8687"
    )


class GroupSection(TomlTable):
    """`[groups.NAME]`"""

    members: list[str] = Field(
        description="Addresses, and names of other groups.",
        examples=[["Ana Kovač <ana@example.com>", "returns@example.com"]],
        min_length=1,
    )
    language: Language | None = _optional(
        "The language its members read; by default that of the account.", "sl"
    )
    pickup_password: bool = Field(
        False, description="Whether the mail to its members shows the pickup password."
    )
    attachments: Attachments | None = _optional(
        "The files its members get; by default those of the account.", ["csv", "sheet"]
    )
    columns: Columns | None = _optional(
        "The columns of an order its members get; by default those of the account.",
        ["order", "tracking", "items", "days"],
    )


class PlaceSection(TomlTable):
    """`[accounts.ID.place]`"""

    name: Line = Field(
        description="The branch where the parcels of this account wait.",
        examples=["MALL Delivery Ljubljana"],
    )
    address: Line | None = _optional(
        "The branch's street and town.", "Letališka cesta 1, 1000 Ljubljana"
    )
    opening_hours: Line | None = _optional("Its opening hours.", "Mon–Fri 8–18, Sat 8–12")
    pickup_password: SecretText | None = _optional(
        "The password the branch asks for; shown only to groups that may see it.", "…"
    )
    pickup_password_file: Line | None = _optional(
        "A file that holds only the pickup password, which changes monthly.", "pickup-password"
    )


class ColumnsSection(TomlTable):
    """`[accounts.ID.file.columns]`"""

    id: Line = Field(
        description="The order number: the name of its column in the file.",
        examples=["Order"],
    )
    ready: Line | None = _optional(
        "The order's state, compared with ready_values; without it, every row waits.", "Status"
    )
    external_id: Line | None = _optional("Your own order number.", "Invoice")
    tracking: Line | None = _optional("The tracking number of its parcel.", "Parcel")
    tracking_url: Line | None = _optional("The carrier's page of the parcel.", "Parcel link")
    title: Line | None = _optional("What an item is called.", "Article")
    sku: Line | None = _optional("Your article number.", "Article no.")
    quantity: Line | None = _optional("The number of pieces; without it, one.", "Pieces")
    price: Line | None = _optional("The price of one piece.", "Price")
    currency: Line | None = _optional("The currency of its amounts, such as EUR.", "Currency")
    cod: Line | None = _optional("The cash on delivery that was not paid.", "COD")
    shipped: Line | None = _optional("When it was shipped, as a date or with a time.", "Shipped")
    first_attempt: Line | None = _optional("When its delivery was first tried.", "First attempt")


class FileSection(TomlTable):
    """`[accounts.ID.file]`"""

    location: FileLocation | None = _optional(
        "A path, relative to this file, or an https address, which is a secret.", "orders.csv"
    )
    location_file: Line | None = _optional(
        "A file that holds only the address; a path relative to this file.", "orders-address"
    )
    format: Annotated[FileFormat, Choice] | None = _optional(
        '"csv" or "json"; by default taken from the end of the file name.', "csv"
    )
    records: Line | None = _optional(
        "The path of the list in a JSON document; by default the whole document.", "data.orders"
    )
    delimiter: Annotated[str, AfterValidator(values.delimiter)] = Field(
        ",", description="The character between two cells of a CSV file."
    )
    encoding: Annotated[str, AfterValidator(values.encoding)] = Field(
        "utf-8-sig", description="The text encoding; on Windows often cp1250."
    )
    decimal: Annotated[str, AfterValidator(values.decimal)] = Field(
        ".", description='The decimal separator: "." or ",".'
    )
    date_format: Annotated[str, AfterValidator(values.date_format)] | None = _optional(
        "The format of dates; by default 2026-11-23, with or without a time.", "%d.%m.%Y"
    )
    currency: Annotated[str, AfterValidator(values.currency)] | None = _optional(
        "The currency of all amounts, if no column holds it.", "EUR"
    )
    # A list without a default: each program has its own words, and a guess would hide parcels.
    ready_values: list[str] | None = Field(
        None,
        description="The values in the column ready that mean: the order is waiting.",
        examples=[["returned to branch"]],
        min_length=1,
    )
    collected_values: list[str] | None = Field(
        None,
        description="The values in the column ready that mean: you have collected it.",
        examples=[["collected"]],
        min_length=1,
    )
    # A day and a half, so that a nightly export may be late once.
    max_age_hours: Annotated[int, Field(ge=1, le=8784)] = Field(
        36, description="A file older than this is an error: its export has stopped."
    )
    columns: ColumnsSection = Field(description="The file's names of our columns.")


def _own(name: str) -> Any:
    """Describe an option of an account that overrides the one of this name in `[digest]`."""
    shared = DigestSection.model_fields[name]
    return Field(
        None,
        description=f"Like {name} in [digest], for this account.",
        examples=[shared.default] if shared.default is not None else shared.examples,
    )


class AccountSection(TomlTable):
    """`[accounts.ID]`"""

    name: Line | None = _optional(
        "What the mail calls the account; by default its id.", "Mimovrste"
    )
    client_id: SecretText | None = _optional(
        "The API credential. With it, no other user may read this file.", "…"
    )
    client_id_file: Line | None = _optional(
        "A file that holds only the client id; a path relative to this file.", "client-id"
    )
    webhook_token: TokenText | None = _optional(
        "The secret end of the webhook's address; or two, separated by a blank.", "…"
    )
    webhook_token_file: Line | None = _optional(
        "A file that holds only the token; a path relative to this file.", "webhook-token"
    )
    recipients: list[str] = Field(
        description="Who gets the digest: 1 to 10 addresses or names of groups.",
        examples=[["Jana Novak <jana@example.com>", "warehouse"]],
    )
    marketplace_timezone: Zone = Field(
        "Europe/Prague", description="The time zone of the marketplace's timestamps."
    )
    order_url: Annotated[str, AfterValidator(values.order_url)] | None = _optional(
        "The page of an order in the portal, for links; {id} is replaced by its number.",
        "https://partner.example.com/orders/{id}",
    )
    send_at: TimeOfDay | None = _own("send_at")
    too_late: TimeOfDay | None = _own("too_late")
    timezone: Zone | None = _own("timezone")
    weekdays: Weekdays | None = _own("weekdays")
    alarm_after_minutes: Annotated[int, Field(ge=10, le=1440)] | None = _own("alarm_after_minutes")
    language: Language | None = _own("language")
    when_empty: Annotated[WhenEmpty, Choice] | None = _own("when_empty")
    overdue_days: Annotated[int, Field(ge=1, le=365)] | None = _own("overdue_days")
    attachments: Attachments | None = _own("attachments")
    columns: Columns | None = _own("columns")
    csv_headings: Annotated[CsvHeadings, Choice] | None = _own("csv_headings")
    test_orders: bool | None = _own("test_orders")
    header_color: Color | None = _own("header_color")
    link_color: LinkColor | None = _own("link_color")
    logo: Line | None = _own("logo")
    place: PlaceSection | None = Field(None, description="Where its parcels are collected.")
    file: FileSection | None = Field(None, description="A list to read instead of the marketplace.")


AccountId = Annotated[str, AfterValidator(values.account_id)]
GroupName = Annotated[str, AfterValidator(values.group_name)]


class Configuration(BaseSettings):
    """The whole file, merged with the environment and the files of secrets."""

    model_config = SettingsConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    admin: Address = Field(
        description="Who gets alarms and requests to unsubscribe; not automatically a recipient.",
        examples=["Jana Novak <jana@example.com>"],
    )
    store: StoreSection = Field(StoreSection(), description="Where state is stored.")
    smtp: SmtpSection = Field(
        description="The mail server.", examples=["[smtp] with host and from"]
    )
    marketplace: MarketplaceSection = Field(MarketplaceSection(), description="The MALL API.")
    digest: DigestSection = Field(DigestSection(), description="The daily mail.")
    alarms: AlarmSection = Field(AlarmSection(), description="How failures are reported.")
    daemon: DaemonSection = Field(DaemonSection(), description="The long-running process.")
    groups: dict[GroupName, GroupSection] = Field(
        {}, max_length=MOST_GROUPS, description="Contact groups."
    )
    accounts: dict[AccountId, AccountSection] = Field(
        min_length=1,
        description="Seller accounts.",
        examples=["[accounts.ljubljana] with recipients and a client_id"],
    )

    @staticmethod
    def from_sources(*trees: Mapping[str, Any]) -> Configuration:
        """Merge trees of options, of which the first wins, and check the result.

        Raises pydantic's ValidationError with everything that is wrong.
        """

        # pydantic-settings asks the class for its sources, so they need a class of their own. Its
        # source for variables is left out; `environment.py` says why.
        class Sourced(Configuration):
            @classmethod
            def settings_customise_sources(
                cls, settings_cls: type[BaseSettings], *_: object, **__: object
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return tuple(InitSettingsSource(settings_cls, dict(tree)) for tree in trees)

        return Sourced()
