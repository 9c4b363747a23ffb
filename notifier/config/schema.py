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
MOST_GROUPS = 100
Choice = Field(strict=False)  # an enum is written as its text
Columns = Annotated[list[str], AfterValidator(values.columns)]
Attachments = list[Annotated[AttachmentKind, Choice]]


class TomlTable(BaseModel):
    """A table of the file. Unknown keys are refused, and no error repeats its input."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class StoreSection(TomlTable):
    """`[store]`"""

    path: Line | None = Field(
        None,
        description="A SQLite file; by default notifier.db, in $STATE_DIRECTORY or beside this.",
        examples=["notifier.db"],
    )
    url: Annotated[str, AfterValidator(values.database_url)] | None = Field(
        None,
        description="A PostgreSQL database instead of a file; leave its password to ~/.pgpass.",
        examples=["postgresql+psycopg://notifier@db.example.com/notifier"],
    )
    retention_days: Annotated[int, Field(ge=1, le=366)] = Field(
        7, description="Days that finished mails are kept in full, so that they can be sent again."
    )

    identity: Line | None = Field(
        None,
        description="A name for this machine where it has no id of its own, as in a container.",
        examples=["notifier-1"],
    )

    @field_validator("url")
    @classmethod
    def _one_of_two(cls, url: str | None, others: ValidationInfo) -> str | None:
        if url is not None and others.data.get("path") is not None:
            raise ValueError("is there beside store.path; keep one of the two")
        return url


class SmtpSection(TomlTable):
    """`[smtp]`"""

    host: Host = Field(
        description="The mail server that mail is sent through.", examples=["smtp.example.com"]
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None,
        description='By default 465; 587 with tls = "starttls", 25 with "none".',
        examples=[465],
    )
    tls: Annotated[Tls, Choice] = Field(
        Tls.IMPLICIT,
        description='"implicit", "starttls", or "none" for a server on this machine.',
    )
    username: Line | None = Field(
        None, description="The login; leave it out if the server wants none.", examples=["digest"]
    )
    password: SecretText | None = Field(
        None,
        description="Nobody else may read this file if it is here; password_file is better.",
        examples=["…"],
    )
    password_file: Line | None = Field(
        None,
        description="A file that holds only the password; a path relative to this file.",
        examples=["smtp-password"],
    )
    ca_file: Line | None = Field(
        None,
        description="Certificates to trust instead of the system's, relative to this file.",
        examples=["ca.pem"],
    )
    from_: Address = Field(
        alias="from",
        description="The sender of the mail.",
        examples=["Parcels to collect <digest@example.com>"],
    )
    reply_to: Address | None = Field(
        None,
        description="Where replies go; by default to the admin.",
        examples=["Jana Novak <jana@example.com>"],
    )
    envelope_from: Address | None = Field(
        None,
        description="Where bounces go, in the domain of from; by default to the address in from.",
        examples=["bounces@example.com"],
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        30, description="How long the mail server may take to answer one command."
    )
    on_unknown: Annotated[OnUnknown, Choice] = Field(
        OnUnknown.RESEND,
        description='"resend" or "hold" a message whose delivery is unknown.',
    )
    idempotency_header: Annotated[str, AfterValidator(values.header_name)] | None = Field(
        None,
        description="A header by which your relay drops a second copy; most relays have none.",
        examples=["X-Idempotency-Key"],
    )

    @field_validator("tls")
    @classmethod
    def _in_the_clear_only_here(cls, tls: Tls, others: ValidationInfo) -> Tls:
        host = others.data.get("host")
        if tls is Tls.NONE and host is not None and not values.is_loopback(host):
            raise ValueError('"none" is for this machine only; write "implicit" or "starttls"')
        return tls

    @field_validator("envelope_from")
    @classmethod
    def _aligned(cls, envelope: Mailbox | None, others: ValidationInfo) -> Mailbox | None:
        sender = others.data.get("from_")
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
    page_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        1000, description="Orders per request; the marketplace may send fewer."
    )
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
        description="Days after shipping when an order that was not collected goes back.",
    )
    trust_webhook: bool = Field(
        False,
        description="Whether the webhook reports every change; the rest is then read less often.",
    )
    reread_days: Annotated[int, Field(ge=2, le=7)] = Field(
        2, description="Days between readings of the rest while the webhook is trusted."
    )
    reserve_calls: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        0, description="API calls of each day that are left for your other systems."
    )


class DigestSection(TomlTable):
    """`[digest]`"""

    send_at: TimeOfDay = Field(time(6, 0), description="When the digest of a day is sent.")
    too_late: TimeOfDay = Field(
        time(18, 0),
        description="When it is too late to begin the digest of a day; then the day is skipped.",
    )
    timezone: Zone = Field("Europe/Prague", description="The time zone of send_at and too_late.")
    weekdays: Weekdays = Field(
        list(values.WEEKDAYS), description="The days of the week that have a digest."
    )
    alarm_after_minutes: Annotated[int, Field(ge=10, le=1440)] = Field(
        120, description="Minutes after send_at until a notice says that the list cannot be read."
    )
    language: Language = Field(
        "en", description="The language of the mail, unless a group has its own."
    )
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
    columns: Columns | None = Field(
        None,
        description="The columns shown of an order, in the sequence of the files; by default all.",
        examples=[["order", "tracking", "items", "days"]],
    )
    csv_headings: Annotated[CsvHeadings, Choice] = Field(
        CsvHeadings.TRANSLATED,
        description='The first row of the CSV: "translated", or "names" for programs.',
    )
    test_orders: bool = Field(
        False, description="Whether the marketplace's test orders are included."
    )
    templates_dir: Line | None = Field(
        None,
        description="A folder with your own templates of the mail, relative to this file.",
        examples=["templates"],
    )
    header_color: Color = Field(HEADER_COLOR, description="The colour of the mail's header band.")
    link_color: LinkColor = Field(LINK_COLOR, description="The colour of its links.")
    logo: Line | None = Field(
        None,
        description="A PNG, JPEG or GIF for the header band, shown 40 pixels high; 48 KiB at most.",
        examples=["logo.png"],
    )


class AlarmSection(TomlTable):
    """`[alarms]`"""

    ping_url: Annotated[str, AfterValidator(values.ping_url)] | None = Field(
        None,
        description="A monitor that is called at the start, success and failure of a day.",
        examples=["https://hc.example.com/ping/7e57ab1e"],
    )


class DaemonSection(TomlTable):
    """`[daemon]`"""

    health_listen: Annotated[str, AfterValidator(values.listen_address)] | None = Field(
        None,
        description="The daemon's health endpoint: host:port, or the path of a socket.",
        examples=["127.0.0.1:8686"],
    )
    webhook_listen: Annotated[str, AfterValidator(values.listen_address)] | None = Field(
        None,
        description="Where the daemon receives webhooks: host:port, or the path of a socket.",
        examples=["127.0.0.1:8687"],
    )


class GroupSection(TomlTable):
    """`[groups.NAME]`"""

    members: list[str] = Field(
        description="Addresses, and names of other groups.",
        examples=[["Ana Kovač <ana@example.com>", "returns@example.com"]],
        min_length=1,
    )
    language: Language | None = Field(
        None,
        description="The language its members read; by default that of the account.",
        examples=["sl"],
    )
    pickup_password: bool = Field(
        False, description="Whether the mail to its members shows the pickup password."
    )
    attachments: Attachments | None = Field(
        None,
        description="The files its members get; by default those of the account.",
        examples=[["csv", "sheet"]],
    )
    columns: Columns | None = Field(
        None,
        description="The columns its members see of an order; by default those of the account.",
        examples=[["order", "tracking", "items", "days"]],
    )


class PlaceSection(TomlTable):
    """`[accounts.ID.place]`"""

    name: Line = Field(
        description="The branch where the parcels of this account wait.",
        examples=["MALL Delivery Ljubljana"],
    )
    address: Line | None = Field(
        None,
        description="The branch's street and town.",
        examples=["Letališka cesta 1, 1000 Ljubljana"],
    )
    opening_hours: Line | None = Field(
        None, description="When it is open.", examples=["Mon–Fri 8–18, Sat 8–12"]
    )
    pickup_password: SecretText | None = Field(
        None,
        description="The password the branch asks for; shown only to groups that may see it.",
        examples=["…"],
    )
    pickup_password_file: Line | None = Field(
        None,
        description="A file that holds only the pickup password, which changes monthly.",
        examples=["pickup-password"],
    )


class ColumnsSection(TomlTable):
    """`[accounts.ID.file.columns]`"""

    id: Line = Field(
        description="The order number: the name of that column in the file.",
        examples=["Order"],
    )
    ready: Line | None = Field(
        None,
        description="The order's state, compared with ready_values; without it, every row waits.",
        examples=["Status"],
    )
    external_id: Line | None = Field(
        None, description="Your own order number.", examples=["Invoice"]
    )
    tracking: Line | None = Field(
        None, description="The tracking number of its parcel.", examples=["Parcel"]
    )
    tracking_url: Line | None = Field(
        None, description="The carrier's page of the parcel.", examples=["Parcel link"]
    )
    title: Line | None = Field(None, description="What an item is called.", examples=["Article"])
    sku: Line | None = Field(
        None, description="Your number of the article.", examples=["Article no."]
    )
    quantity: Line | None = Field(
        None, description="The number of pieces; without it, one.", examples=["Pieces"]
    )
    price: Line | None = Field(None, description="The price of one piece.", examples=["Price"])
    currency: Line | None = Field(
        None, description="The currency of its amounts, such as EUR.", examples=["Currency"]
    )
    cod: Line | None = Field(
        None, description="Cash on delivery that was not paid.", examples=["COD"]
    )
    shipped: Line | None = Field(
        None, description="When it was shipped, as a date or with a time.", examples=["Shipped"]
    )
    first_attempt: Line | None = Field(
        None, description="When its delivery was first tried.", examples=["First attempt"]
    )


class FileSection(TomlTable):
    """`[accounts.ID.file]`"""

    location: FileLocation | None = Field(
        None,
        description="A path, relative to this file, or an https address, which is a secret.",
        examples=["orders.csv"],
    )
    location_file: Line | None = Field(
        None,
        description="A file that holds only the address; a path relative to this file.",
        examples=["orders-address"],
    )
    format: Annotated[FileFormat, Choice] | None = Field(
        None,
        description='"csv" or "json"; by default taken from the end of the file name.',
        examples=["csv"],
    )
    records: Line | None = Field(
        None,
        description="The path of the list in a JSON document; by default the whole document.",
        examples=["data.orders"],
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
    date_format: Annotated[str, AfterValidator(values.date_format)] | None = Field(
        None,
        description="The format of dates; by default 2026-11-23, with or without a time.",
        examples=["%d.%m.%Y"],
    )
    currency: Annotated[str, AfterValidator(values.currency)] | None = Field(
        None, description="The currency of all amounts, if no column holds it.", examples=["EUR"]
    )
    ready_values: list[str] | None = Field(
        None,
        description="The values in the column ready that mean that an order waits.",
        examples=[["returned to branch"]],
        min_length=1,
    )
    collected_values: list[str] | None = Field(
        None,
        description="The values in the column ready that mean that you have collected it.",
        examples=[["collected"]],
        min_length=1,
    )
    max_age_hours: Annotated[int, Field(ge=1, le=8784)] = Field(
        36, description="A file older than this is an error: its export has stopped."
    )
    columns: ColumnsSection = Field(description="The file's names of our columns.")


def _own(name: str) -> Any:
    """An option of an account that overrides the one of the same name in `[digest]`."""
    shared = DigestSection.model_fields[name]
    return Field(
        None,
        description=f"Like {name} in [digest], for this account.",
        examples=[shared.default] if shared.default is not None else shared.examples,
    )


class AccountSection(TomlTable):
    """`[accounts.ID]`"""

    name: Line | None = Field(
        None,
        description="What the mail calls the account; by default its id.",
        examples=["Mimovrste"],
    )
    client_id: SecretText | None = Field(
        None,
        description="The API credential. Nobody else may read this file if it is here.",
        examples=["…"],
    )
    client_id_file: Line | None = Field(
        None,
        description="A file that holds only the client id; a path relative to this file.",
        examples=["client-id"],
    )
    webhook_token: TokenText | None = Field(
        None,
        description="The secret end of the webhook's address; or two, with a blank between them.",
        examples=["…"],
    )
    webhook_token_file: Line | None = Field(
        None,
        description="A file that holds only the token; a path relative to this file.",
        examples=["webhook-token"],
    )
    recipients: list[str] = Field(
        description="Who gets the digest: 1 to 10 addresses or names of groups.",
        examples=[["Jana Novak <jana@example.com>", "warehouse"]],
    )
    marketplace_timezone: Zone = Field(
        "Europe/Prague", description="The time zone of the marketplace's timestamps."
    )
    order_url: Annotated[str, AfterValidator(values.order_url)] | None = Field(
        None,
        description="The page of an order in the portal, for links; {id} stands for its number.",
        examples=["https://partner.example.com/orders/{id}"],
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
        description="Who gets reports of failures and unsubscriptions; not one of the recipients.",
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

        class Sourced(Configuration):  # pydantic-settings asks the class for its sources
            @classmethod
            def settings_customise_sources(
                cls, settings_cls: type[BaseSettings], *_: object, **__: object
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return tuple(InitSettingsSource(settings_cls, dict(tree)) for tree in trees)

        return Sourced()
