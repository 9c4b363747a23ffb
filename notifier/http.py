"""The one HTTP client: TLS, a deadline for the whole call, a limit of bytes, no redirects.

Credentials travel in queries, so nothing it raises, shows or logs contains a URL. It is the only
module that knows httpx, so that a successor can be swapped in here.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from notifier import __version__
from notifier.errors import ConfigError, Problem, UnavailableError

# HTTPS_PROXY and NO_PROXY are obeyed: through https a proxy sees only the host's name. Loopback is
# the one place asked without TLS, and never through a proxy.
_NEVER_PROXIED: dict[str, httpx.AsyncBaseTransport | None] = {
    "all://localhost": None,
    "all://127.0.0.1": None,
    "all://[::1]": None,
}
# The default of httpx. The longer a connection is idle, the more likely the server closes it at the
# moment when it is used again.
_KEPT = timedelta(seconds=5)
# Without compression: httpx would decompress an answer of any size, see `_body`.
_HEADERS = {"User-Agent": f"notifier/{__version__}", "Accept-Encoding": "identity"}
_PORTS = range(1, 2**16)
_PLAIN = frozenset({"", "identity"})
_ENCODINGS = _PLAIN | {"gzip", "x-gzip", "deflate"}
_EITHER_HEADER = zlib.MAX_WBITS + 32  # zlib's manual: recognise the headers of zlib and gzip
_NETWORK = "check the network of this machine, or wait until it answers again"


class NoAnswer(UnavailableError):
    """No usable answer came; `retryable` says whether another try may help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, with header names in lower case; its repr shows the status alone."""

    status: int
    # A repr appears in logs and tracebacks, where a buyer's data must not.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def http_date(value: str) -> datetime | None:
    """Return a date in a header (RFC 9110, 5.6.7) in UTC; None if it is not a date."""
    try:
        date = parsedate_to_datetime(value)
        # The obsolete form of C's asctime() has no zone; every date in HTTP is in UTC.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        # The parser is made for mail and raises errors of many kinds.
        return None


class HttpClient:
    """An async context manager for connections; certificates are always verified.

    `ca_file` (PEM) replaces the usual root certificates. `transport` replaces the network, for
    example by an ASGI app. Raises ConfigError if `ca_file` or a proxy variable is unusable.
    """

    # Every call in progress has its own httpx client, called a lane. The pool of httpcore 1.0 would
    # assign one idle connection to several calls, and all but one would queue again: with 32 calls
    # at once, that was half of the CPU time. A lane idle for longer than `kept` is closed by a
    # later call.

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        kept: timedelta = _KEPT,
    ) -> None:
        for name in ("httpx", "httpcore"):  # they log whole URLs at INFO
            logging.getLogger(name).setLevel(logging.WARNING)
        self._roots = _root_certificates(ca_file) if transport is None else True
        self._transport = transport
        self._kept_seconds = kept.total_seconds()
        self._lanes: set[httpx.AsyncClient] = set()
        self._idle: deque[tuple[float, httpx.AsyncClient]] = deque()
        """Idle lanes, each with the time since when; the last one used last."""
        # The first lane is opened at once, so that an unusable proxy variable is found here.
        self._idle.append((0.0, self._open_lane()))

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in tuple(self._lanes):
            await lane.aclose()

    async def get(
        self,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: timedelta,  # noqa: ASYNC109  (asyncio.timeout applies it, the message names it)
        most_bytes: int,
        option: str,
    ) -> HttpAnswer:
        """GET `url`; every status except a redirect is an answer.

        `timeout` covers the call from connecting to the last byte, `most_bytes` the decompressed
        body; `option` is the configuration option with the address, for messages. Raises NoAnswer,
        or ConfigError for a URL that is neither https nor on loopback.
        """
        return await self._send(
            "GET", url, option, timeout, most_bytes, params=query, headers=headers
        )

    async def post(
        self,
        url: str,
        text: str,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (as in `get`)
        most_bytes: int,
        option: str,
    ) -> HttpAnswer:
        """POST `text` to `url`; otherwise the same as `get`."""
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        return await self._send(
            "POST", url, option, timeout, most_bytes, content=text, headers=plain
        )

    async def _send(
        self,
        method: str,
        url: str,
        option: str,
        timeout: timedelta,  # noqa: ASYNC109  (as in `get`)
        most_bytes: int,
        **more: Any,
    ) -> HttpAnswer:
        target = _target(url, option)
        seconds = timeout.total_seconds()
        # httpcore 1.0 leaks the socket if it is cancelled in a TLS handshake. So connecting has its
        # own limit, half of the whole, which ends the handshake before the cancellation.
        connecting = httpx.Timeout(None, connect=seconds / 2)
        try:
            async with asyncio.timeout(seconds), self._lane() as lane:
                request = lane.build_request(method, url, timeout=connecting, **more)
                return await _receive(lane, request, target, most_bytes)
        # `from None`, here and below: a traceback that shows the causes may show the URL.
        except TimeoutError:
            raise NoAnswer(
                f"{target.address} did not answer within {seconds:g} seconds; {target.check}"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, zlib.error) as error:
            raise NoAnswer(_reason(target, error)) from None

    @asynccontextmanager
    async def _lane(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client that no other call uses meanwhile."""
        time = asyncio.get_running_loop().time
        # The lane used last: lanes that are no longer needed then stay idle, and are closed.
        lane = self._idle.pop()[1] if self._idle else self._open_lane()
        try:
            while self._idle and self._idle[0][0] <= time() - self._kept_seconds:
                _, unused = self._idle.popleft()
                self._lanes.discard(unused)
                await unused.aclose()
            yield lane
        finally:
            self._idle.append((time(), lane))

    def _open_lane(self) -> httpx.AsyncClient:
        try:
            lane = httpx.AsyncClient(
                verify=self._roots,
                transport=self._transport,
                mounts=_NEVER_PROXIED,
                follow_redirects=False,
                headers=_HEADERS,
                # Without a session, cookies are useless, and httpx cannot send back a bad one.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                event_hooks={"response": [_drop_location]},
            )
        except (ValueError, ImportError):
            raise _config_error(
                "environment", "HTTPS_PROXY or ALL_PROXY is not an http:// or https:// address"
            ) from None
        self._lanes.add(lane)
        return lane


async def _receive(
    lane: httpx.AsyncClient, request: httpx.Request, target: _Destination, most_bytes: int
) -> HttpAnswer:
    # As a stream, so that reading can end at `most_bytes`.
    response = await lane.send(request, stream=True)
    try:
        # The credential is in the query, and a redirect may repeat the query to another host.
        if 300 <= response.status_code < 400:
            raise NoAnswer(
                f"{target.host} answers with a redirect ({response.status_code}), which is "
                f"never followed; check {target.option}",
                retryable=False,
            )
        body = await _body(response, target, most_bytes)
        return HttpAnswer(response.status_code, dict(response.headers), body)
    finally:
        await response.aclose()


async def _drop_location(response: httpx.Response) -> None:
    """Drop the address of a redirect: httpx parses it, and fails if it is not an address."""
    response.headers.pop("location", None)


@dataclass(frozen=True, slots=True)
class _Destination:
    """The server of a call, and the option that names it."""

    host: str
    address: str
    """Host and port, which an operator can try by hand."""
    option: str

    @property
    def check(self) -> str:
        """Advice for a server that does not answer."""
        return f"check {self.option} and the network of this machine, or wait until it answers"


def _target(url: str, option: str) -> _Destination:
    """Return the server of `url`; raises ConfigError if it may not be asked."""
    try:
        parsed = httpx.URL(url)
        name, port = parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80)
    except (httpx.InvalidURL, UnicodeError):  # UnicodeError: the name is not valid IDNA
        raise _config_error(option, "is not a URL") from None
    if port not in _PORTS:
        raise _config_error(option, f"has {port} for a port; write one from 1 to 65535")
    if parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(name)):
        host = f"[{name}]" if ":" in name else name
        return _Destination(name, f"{host}:{port}", option)
    raise _config_error(name, "is asked over https only; write https:// in front of it")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _root_certificates(ca_file: Path | None) -> ssl.SSLContext:
    """Load the trusted certificates: from `ca_file`, SSL_CERT_FILE, or certifi."""
    try:
        if ca_file:
            return ssl.create_default_context(cafile=ca_file)
        return httpx.create_ssl_context()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | PermissionError)
        reason = f"{error.strerror}" if missing else "is not a file of PEM certificates"
        raise _config_error(str(ca_file or "SSL_CERT_FILE"), reason) from error


def _config_error(source: str, message: str) -> ConfigError:
    return ConfigError((Problem(source, None, "", message),))


async def _body(response: httpx.Response, target: _Destination, most_bytes: int) -> bytes:
    """Read the body, and decompress it: some servers compress although we ask them not to."""
    # httpx would decompress without a limit: 300 kB of gzip can become 300 MB.
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _ENCODINGS:
        raise NoAnswer(
            f"{target.host} answers in an encoding that was not asked for; check {target.option}"
        )
    unpack = None if encoding in _PLAIN else zlib.decompressobj(wbits=_EITHER_HEADER)
    body = bytearray()
    async for chunk in response.aiter_raw():
        # One byte too many is enough to refuse. The limit is never 0, which zlib takes for "none".
        body += unpack.decompress(chunk, most_bytes + 1 - len(body)) if unpack else chunk
        if len(body) > most_bytes:
            raise NoAnswer(
                f"{target.host} answers with more than {most_bytes} bytes; check {target.option}"
            )
    # httpcore notices a missing end only if the server announced the length or sent chunks.
    if unpack and not unpack.eof:
        raise NoAnswer(_broken_off(target))
    return bytes(body)


def _broken_off(target: _Destination) -> str:
    return f"{target.host} broke off in the middle of an answer; {_NETWORK}"


def _reason(target: _Destination, error: BaseException) -> str:
    """Return a sentence for an error of httpx, whose own text may contain the URL."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            # A handshake that times out has an SSLError among its causes, but is no TLS fault.
            is_refused = isinstance(error, httpx.ConnectError)
            tls_reason = _tls_reason(target.host, error) if is_refused else None
            return tls_reason or f"{target.address} cannot be reached; {target.check}"
        case httpx.ProxyError():
            return f"the proxy on the way to {target.host} refuses; check HTTPS_PROXY"
        case zlib.error():
            return f"{target.host} answers with broken compression; {_NETWORK}"
    return _broken_off(target)


def _tls_reason(host: str, error: BaseException | None) -> str | None:
    """Return a sentence for the TLS error that httpx hides among the causes, if there is one."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {host} is not accepted ({error.verify_message}); check the "
                "clock of this machine; an authority of your own goes into SSL_CERT_FILE"
            )
        if isinstance(error, ssl.SSLError):
            return f"{host} does not speak TLS correctly; {_NETWORK}"
        error = error.__cause__ or error.__context__
    return None
