"""Build the program's settings from the checked configuration: defaults, overrides, paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from notifier.config.environment import from_environment
from notifier.config.file import parsed, read_small
from notifier.config.layers import Layer, Layers
from notifier.config.schema import (
    AccountSection,
    Configuration,
    DigestSection,
    FileSection,
    GroupSection,
    MarketplaceSection,
    PlaceSection,
    SmtpSection,
    StoreSection,
)
from notifier.config.values import WEEKDAYS, is_web_location
from notifier.domain.branding import Branding, Logo
from notifier.domain.reading_plan import Policy
from notifier.domain.recipients import AttachmentKind, ContactGroup, Mailbox, resolve
from notifier.domain.schedule import Schedule
from notifier.domain.settings import (
    Account,
    FileAccess,
    FileFormat,
    MarketplaceAccess,
    PlaceOfReturn,
    Secret,
    Sender,
    Settings,
    SmtpServer,
    StoreLocation,
    Tls,
)
from notifier.errors import ConfigError
from notifier.i18n.foreign_text import folded

# 465 and 587 are for submission (RFC 8314, 3.3 and RFC 6409, 3.1), 25 for relays (RFC 5321).
PORTS = {Tls.IMPLICIT: 465, Tls.STARTTLS: 587, Tls.NONE: 25}
# Bytes. Every mail carries the logo.
LARGEST_LOGO = 48 * 1024

# First bytes of the formats that every mail program shows; many show neither SVG nor WebP.
_PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
# Finds the store of a file that is no longer TOML, because the last good copy is beside it.
_STORE_PATH = re.compile(r'^\[store\][^\[]*?^path[ \t]*=[ \t]*"([^"\n]+)"', re.MULTILINE)

Groups = Mapping[str, ContactGroup]


def settings_from(written: Configuration, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Build the settings of a checked configuration, whose paths are relative to `folder`.

    Raises RecipientsError for recipients that cannot be resolved.
    """
    groups = {name: _group(name, group) for name, group in written.groups.items()}
    templates = written.digest.templates_dir
    return Settings(
        accounts={
            account_id: _account(account_id, account, written, groups, folder)
            for account_id, account in written.accounts.items()
        },
        smtp=_server(written.smtp, folder),
        sender=_sender(written.smtp, written.admin),
        store=_store(written.store, folder, environ),
        templates_dir=folder / templates if templates else None,
        ping_url=written.alarms.ping_url,
        health_listen=written.daemon.health_listen,
        webhook_listen=written.daemon.webhook_listen,
    )


def _group(name: str, group: GroupSection) -> ContactGroup:
    return ContactGroup(
        name,
        tuple(group.members),
        group.language,
        None if group.attachments is None else _kinds(group.attachments),
        tuple(group.columns or ()),
    )


def _account(
    account_id: str,
    account: AccountSection,
    written: Configuration,
    groups: Groups,
    folder: Path,
) -> Account:
    digest = _with_own(written.digest, account)
    if account.file:
        reads: FileAccess | MarketplaceAccess = _file(
            account.file, written.marketplace, digest, folder
        )
    else:
        reads = _marketplace(account, written.marketplace, digest)
    return Account(
        id=account_id,
        branding=_branding(digest, folder),
        name=account.name or account_id,
        access=reads,
        schedule=_schedule(digest),
        recipients=resolve(account.recipients, groups, language=digest.language),
        language=digest.language,
        place=_place(account.place) if account.place else None,
        order_url=account.order_url,
        when_empty=digest.when_empty,
        overdue_days=digest.overdue_days,
        attachments=_kinds(digest.attachments),
        columns=tuple(digest.columns or ()),
        csv_headings=digest.csv_headings,
        alarm_after=timedelta(minutes=digest.alarm_after_minutes),
        webhook_tokens=_tokens(account.webhook_token),
        password_groups=frozenset(
            name for name, group in written.groups.items() if group.pickup_password
        ),
    )


def _kinds(written: Sequence[AttachmentKind]) -> tuple[AttachmentKind, ...]:
    # In the sequence of the enum, so that all mails attach their files in the same one.
    return tuple(kind for kind in AttachmentKind if kind in written)


def _branding(digest: DigestSection, folder: Path) -> Branding:
    logo = read_logo(folder / digest.logo) if digest.logo else None
    return Branding(digest.header_color, digest.link_color, logo)


def read_logo(file: Path) -> Logo:
    """Read a PNG, JPEG or GIF; raises ValueError that says what is wrong with it."""
    content = read_small(file, LARGEST_LOGO).data
    for beginning, subtype in _PICTURES.items():
        if content.startswith(beginning):
            return Logo(subtype, content)
    raise ValueError("is not a PNG, JPEG or GIF, and mail programs show nothing else")


def _schedule(digest: DigestSection) -> Schedule:
    days = frozenset(WEEKDAYS.index(day) for day in digest.weekdays)
    return Schedule(digest.send_at, digest.timezone, digest.too_late, days)


def _with_own(digest: DigestSection, account: AccountSection) -> DigestSection:
    """Lay the account's own options over those of the digest that all accounts share."""
    own = {name: getattr(account, name, None) for name in DigestSection.model_fields}
    return digest.model_copy(
        update={name: value for name, value in own.items() if value is not None}
    )


def _marketplace(
    account: AccountSection, marketplace: MarketplaceSection, digest: DigestSection
) -> MarketplaceAccess:
    # `incomplete` has already refused it; this is for the type checker.
    if account.client_id is None:
        raise ValueError("an account without a client id")
    return MarketplaceAccess(
        base_url=marketplace.base_url,
        client_id=account.client_id,
        timezone=account.marketplace_timezone,
        page_size=marketplace.page_size,
        concurrency=marketplace.concurrency,
        policy=Policy(
            marketplace.frequency,
            earliest_return_days=marketplace.earliest_return_days,
            storage_days=marketplace.storage_days,
            # An account without a token receives no posts, so silence means nothing there.
            trust_webhook=marketplace.trust_webhook and account.webhook_token is not None,
            reread_days=marketplace.reread_days,
        ),
        reserve_calls=marketplace.reserve_calls,
        request_timeout=timedelta(seconds=marketplace.request_timeout_seconds),
        run_timeout=timedelta(minutes=marketplace.run_timeout_minutes),
        test_orders=digest.test_orders,
    )


def _tokens(written: Secret | None) -> tuple[Secret, ...]:
    return tuple(Secret(token) for token in written.value.split()) if written else ()


def _file(
    file: FileSection, marketplace: MarketplaceSection, digest: DigestSection, folder: Path
) -> FileAccess:
    # `incomplete` has already refused it; this is for the type checker.
    if file.location is None:
        raise ValueError("a file without a location")
    named = file.location.value
    columns = file.columns.model_dump(exclude_none=True)
    return FileAccess(
        location=file.location if is_web_location(named) else folder / named,
        format=file.format or format_of(named) or FileFormat.CSV,
        columns=columns,
        timezone=digest.timezone,
        ready_values=_folded(file.ready_values),
        collected_values=_folded(file.collected_values),
        records=file.records,
        delimiter=file.delimiter,
        encoding=file.encoding,
        decimal=file.decimal,
        date_format=file.date_format,
        currency=file.currency,
        max_age=timedelta(hours=file.max_age_hours),
        request_timeout=timedelta(seconds=marketplace.request_timeout_seconds),
        run_timeout=timedelta(minutes=marketplace.run_timeout_minutes),
    )


def _folded(values: list[str] | None) -> frozenset[str]:
    return frozenset(folded(value) for value in values or ())


def format_of(location: str) -> FileFormat | None:
    """Return the format that the end of a file name shows; None if it shows none."""
    path = re.split(r"[?#]", location)[0] if is_web_location(location) else location
    ending = path.rpartition(".")[2].lower()
    return FileFormat(ending) if ending in tuple(FileFormat) else None


def _place(place: PlaceSection) -> PlaceOfReturn:
    return PlaceOfReturn(
        place.name, place.address or "", place.opening_hours or "", place.pickup_password
    )


def _server(smtp: SmtpSection, folder: Path) -> SmtpServer:
    return SmtpServer(
        host=smtp.host,
        port=smtp.port or PORTS[smtp.tls],
        tls=smtp.tls,
        username=smtp.username,
        password=smtp.password,
        ca_file=folder / smtp.ca_file if smtp.ca_file else None,
        timeout=timedelta(seconds=smtp.timeout_seconds),
        on_unknown=smtp.on_unknown,
    )


def _sender(smtp: SmtpSection, admin: Mailbox) -> Sender:
    return Sender(
        mailbox=smtp.from_,
        reply_to=smtp.reply_to or admin,
        # The envelope takes an address without a name (RFC 5321, 4.1.1.2).
        envelope=smtp.envelope_from or Mailbox(smtp.from_.address),
        admin=admin,
        idempotency_header=smtp.idempotency_header,
    )


def _store(store: StoreSection, folder: Path, environ: Mapping[str, str]) -> StoreLocation:
    return StoreLocation(
        store.url or _sqlite(store.path, folder, environ),
        timedelta(days=store.retention_days),
        store.identity,
    )


def _sqlite(named: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    return f"sqlite:///{store_file(named, folder, environ)}"


def store_file(named: str | None, folder: Path, environ: Mapping[str, str]) -> Path:
    """Return the file named, else `notifier.db` in systemd's (first) state directory."""
    if named:
        return folder / named
    # systemd joins several directories with colons (systemd.exec(5)).
    state = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return (Path(state) if state else folder) / "notifier.db"


def likely_store(path: Path, environ: Mapping[str, str]) -> StoreLocation:
    """Find the store of a configuration that may be broken, as far as it can still be read."""
    written = _readable_part(path)
    layers = Layers(str(path), (from_environment(environ, written.keys), written))
    url, named = layers.text(("store", "url")), layers.text(("store", "path"))
    return StoreLocation(
        url or _sqlite(named, path.absolute().parent, environ),
        identity=layers.text(("store", "identity")),
    )


def _readable_part(path: Path) -> Layer:
    """Return a file's values; of one that is not TOML, only `store.path`, if that line is valid."""
    try:
        # A broken character elsewhere must not hide the path of the store.
        text = read_small(path).data.decode("utf-8-sig", "replace")
    except ValueError:
        return Layer({}, {})
    try:
        return parsed(text, str(path))
    except ConfigError:
        found = _STORE_PATH.search(text)
        return Layer({"store": {"path": found[1]}} if found else {}, {})
