"""The one HTTP client: TLS, a deadline for the whole call, a cap on bytes, no redirects.

Nothing it raises, shows or logs contains a URL, because credentials travel in queries. It is the
only module that knows httpx, so that a successor can be swapped in here.
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

# An operator's HTTPS_PROXY and NO_PROXY are obeyed: inside https a proxy sees a host name and no
# more. Loopback is the one place asked in the clear, and it is never asked through a proxy.
_NEVER_PROXIED: dict[str, httpx.AsyncBaseTransport | None] = {
    "all://localhost": None,
    "all://127.0.0.1": None,
    "all://[::1]": None,
}
_KEPT = timedelta(seconds=5)
"""As long as httpx keeps a connection that nobody uses."""
_HEADERS = {"User-Agent": f"notifier/{__version__}", "Accept-Encoding": "identity"}


class NoAnswer(UnavailableError):
    """No answer came that could be used; `retryable` tells whether another try may help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer. Names of headers are in lower case; nothing but the status is shown."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def http_date(value: str) -> datetime | None:
    """The instant of a date in a header (RFC 9110, 5.6.7), in UTC; None when it is none."""
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        # It is made for mail, and answers nonsense with errors of many kinds.
        return None


class HttpClient:
    """An async context manager around our connections; certificates are always verified.

    How many calls there are at once is decided by who makes them. Each has a client of httpx to
    itself, a lane: the pool of httpcore 1.0 gives one idle connection to several calls, of which
    all but one queue again, and each time compares all with all. With 32 calls at once that was
    half of the work. What nobody has used for as long as `kept` is closed by a later call.

    `ca_file` (PEM) takes the place of the usual roots. `transport` lets an ASGI app answer in
    place of the network. Raises ConfigError when `ca_file` or a proxy of the environment cannot
    be used.
    """

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        kept: timedelta = _KEPT,
    ) -> None:
        _silence()
        self._roots = _roots(ca_file) if transport is None else True
        self._transport = transport
        self._kept_seconds = kept.total_seconds()
        self._lanes: set[httpx.AsyncClient] = set()
        self._idle: deque[tuple[float, httpx.AsyncClient]] = deque()
        """Since when, and which; the one used last stands last."""
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
        timeout: timedelta,  # noqa: ASYNC109  (applied by asyncio.timeout, told in the message)
        most_bytes: int,
        option: str,
    ) -> HttpAnswer:
        """GET `url`; any status but a redirect is an answer.

        `timeout` is for everything from the connection to the last byte, `most_bytes` for the
        body as it is after decompression; `option` is where the configuration has the address.
        Raises NoAnswer, or ConfigError for a URL that is not https and not on loopback.
        """
        asked = _asked(url, option)
        return await self._ask(
            "GET", url, asked, timeout, most_bytes, params=query, headers=headers
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
        """POST `text` to `url`, and otherwise the same as `get`."""
        asked = _asked(url, option)
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        return await self._ask("POST", url, asked, timeout, most_bytes, content=text, headers=plain)

    async def _ask(
        self,
        method: str,
        url: str,
        asked: _Asked,
        timeout: timedelta,  # noqa: ASYNC109  (as in `get`)
        most_bytes: int,
        **more: Any,
    ) -> HttpAnswer:
        try:
            async with asyncio.timeout(timeout.total_seconds()), self._lane() as lane:
                request = lane.build_request(method, url, timeout=_connecting(timeout), **more)
                return await _send(lane, request, asked, most_bytes)
        except TimeoutError:
            seconds = f"{timeout.total_seconds():g} seconds"
            raise NoAnswer(
                f"{asked.address} did not answer within {seconds}; {asked.check}"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, zlib.error) as error:
            raise NoAnswer(_reason(asked, error)) from None

    @asynccontextmanager
    async def _lane(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        time = asyncio.get_running_loop().time
        lane = self._idle.pop()[1] if self._idle else self._open_lane()
        try:
            while self._idle and self._idle[0][0] <= time() - self._kept_seconds:
                await self._close_lane(self._idle.popleft()[1])
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
                cookies=_no_cookies(),
                event_hooks={"response": [_forget_where_it_leads]},
            )
        except (ValueError, ImportError):
            raise _config_error(
                "environment", "HTTPS_PROXY or ALL_PROXY is no http:// or https:// address"
            ) from None
        self._lanes.add(lane)
        return lane

    async def _close_lane(self, lane: httpx.AsyncClient) -> None:
        self._lanes.discard(lane)
        await lane.aclose()


async def _send(
    lane: httpx.AsyncClient, request: httpx.Request, asked: _Asked, most_bytes: int
) -> HttpAnswer:
    response = await lane.send(request, stream=True)
    try:
        if 300 <= response.status_code < 400:
            raise NoAnswer(
                f"{asked.host} answers with a redirect ({response.status_code}), which is "
                f"never followed; check {asked.option}",
                retryable=False,
            )
        body = await _body(response, asked, most_bytes)
        return HttpAnswer(response.status_code, dict(response.headers), body)
    finally:
        await response.aclose()


_NETWORK = "check the network of this machine, or wait until it answers again"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom a call goes to, and the option that says so."""

    host: str
    address: str
    """With the port: what somebody tries by hand who wonders whether it can be reached."""
    option: str

    @property
    def check(self) -> str:
        """What to do when there is nobody at that address."""
        return f"check {self.option} and the network of this machine, or wait until it answers"


def _connecting(whole: timedelta) -> httpx.Timeout:
    """The half of `whole` for the connection; the deadline alone bounds all the rest.

    httpcore 1.0 leaves the socket open when it is cancelled in a TLS handshake.
    """
    return httpx.Timeout(None, connect=whole.total_seconds() / 2)


def _silence() -> None:
    """Keep httpx from logging whole URLs."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _no_cookies() -> CookieJar:
    """A jar that stays empty: nobody here has a session, and a bad cookie cannot be sent back."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


async def _forget_where_it_leads(response: httpx.Response) -> None:
    """Drop the address of a redirect: httpx takes it apart, and falls over what is no address."""
    response.headers.pop("location", None)


def _roots(ca_file: Path | None) -> ssl.SSLContext:
    """The certificates we trust: those of `ca_file`, of SSL_CERT_FILE, or of certifi."""
    try:
        if ca_file:
            return ssl.create_default_context(cafile=ca_file)
        return httpx.create_ssl_context()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | PermissionError)
        reason = f"{error.strerror}" if missing else "is no file of PEM certificates"
        raise _config_error(str(ca_file or "SSL_CERT_FILE"), reason) from error


def _asked(url: str, option: str) -> _Asked:
    """Whom `url` asks, once it is certain that it may be asked."""
    try:
        parsed = httpx.URL(url)
        name, port = parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80)
    except (httpx.InvalidURL, UnicodeError):  # the latter for a name that is no IDNA
        raise _config_error(option, "is no URL") from None
    if port not in _PORTS:
        raise _config_error(option, f"has {port} for a port, which is none")
    if parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(name)):
        host = f"[{name}]" if ":" in name else name
        return _Asked(name, f"{host}:{port}", option)
    raise _config_error(name, "is asked over https only; write https:// in front of it")


_PORTS = range(1, 2**16)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _config_error(source: str, message: str) -> ConfigError:
    return ConfigError((Problem(source, None, "", message),))


async def _body(response: httpx.Response, asked: _Asked, most_bytes: int) -> bytes:
    """The body, decompressed where a server compresses although it was asked not to.

    httpx would decompress without a limit: 300 kB of gzip can become 300 MB.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _ENCODINGS:
        raise NoAnswer(
            f"{asked.host} answers in an encoding nobody asked for; check {asked.option}"
        )
    unpack = None if encoding in _PLAIN else zlib.decompressobj(wbits=_EITHER_HEADER)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += unpack.decompress(chunk, most_bytes + 1 - len(body)) if unpack else chunk
        if len(body) > most_bytes:
            raise NoAnswer(
                f"{asked.host} answers with more than {most_bytes} bytes; check {asked.option}"
            )
    if unpack and not unpack.eof:
        raise NoAnswer(f"{asked.host} broke off in the middle of an answer; {_NETWORK}")
    return bytes(body)


_PLAIN = frozenset({"", "identity"})
_ENCODINGS = _PLAIN | {"gzip", "x-gzip", "deflate"}
_EITHER_HEADER = zlib.MAX_WBITS + 32  # zlib's manual: recognise zlib's and gzip's header


def _reason(asked: _Asked, error: BaseException) -> str:
    """A sentence for a foreign error; its own text may contain the URL and is not used."""
    match error:
        case httpx.ConnectError():
            unreached = f"{asked.address} cannot be reached; {asked.check}"
            return _tls_reason(asked.host, error) or unreached
        case httpx.ConnectTimeout():
            return f"{asked.address} cannot be reached; {asked.check}"
        case httpx.ProxyError():
            return f"the proxy on the way to {asked.host} refuses; check HTTPS_PROXY"
        case zlib.error():
            return f"{asked.host} answers with broken compression; {_NETWORK}"
    return f"{asked.host} broke off in the middle of an answer; {_NETWORK}"


def _tls_reason(host: str, error: BaseException | None) -> str | None:
    """The same, where TLS is what failed: httpx hides that among the causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {host} is not accepted ({error.verify_message}); check the "
                "clock of this machine; an authority of your own goes into SSL_CERT_FILE"
            )
        if isinstance(error, ssl.SSLError):
            return f"{host} does not speak TLS as it should; {_NETWORK}"
        error = error.__cause__ or error.__context__
    return None
