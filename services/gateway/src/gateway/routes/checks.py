"""What is refused on the shape of a request alone, and which headers pass.

Checks read `scope["path"]` and the raw headers, never an address that was put together from the Host header.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from gateway.routes.errors import (
    AddressTooLong,
    BadRequest,
    HeadersTooLarge,
    MethodRefused,
    WrongHost,
)
from kantis_kit.networks import Network
from kantis_kit.web.middleware import Scope

Headers = list[tuple[bytes, bytes]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READS = frozenset({"GET", "HEAD"})
MAX_PATH_BYTES = 2_048
MAX_QUERY_BYTES = 8_192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_768
_BAD_PATH = re.compile(r"//|/\.{1,2}(?:/|$)|[\x00-\x1f\x7f\\�]")
_BAD_RAW = re.compile(rb"%2f|%5c|%00|[^\x21-\x7e]", re.IGNORECASE)
_BAD_VALUE = re.compile(rb"[\r\n\x00]")
_NAMES = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+(?:\n[a-z0-9!#$%&'*+.^_`|~-]+)*")
"""The names of headers, one on each line."""
_ONCE = frozenset(
    {b"host", b"content-length", b"content-type", b"authorization", b"idempotency-key", b"if-match"}
)

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}")

_HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
        b"http2-settings", b"expect",
    }
)  # fmt: skip
_IDENTITY = frozenset(
    {
        b"authorization", b"cookie", b"forwarded", b"host", b"via", b"x-real-ip", b"x-client-ip",
        b"true-client-ip", b"cf-connecting-ip", b"x-correlation-id", b"x-request-id",
        b"x-original-url", b"x-rewrite-url", b"x-original-host", b"x-host",
        b"x-http-method", b"x-http-method-override", b"x-method-override",
    }
)  # fmt: skip
_IDENTITY_STARTS = (b"x-user", b"x-forwarded", b"x-kantis", b"x-auth", b"x-remote")
_ANSWER_DROPS = _HOP_BY_HOP | {b"date", b"server"}


def refuse_method(allowed: Iterable[str]) -> MethodRefused:
    """Return the refusal of a method, with those that the address knows."""
    known = ", ".join(sorted(allowed))
    return MethodRefused(f"Methods are {known}", headers={"Allow": known})


def by_name(headers: Headers) -> Mapping[bytes, bytes]:
    """Return headers by their names: of those that come several times the first, as `header` does."""
    return dict(reversed(headers))


def check_shape(
    scope: Scope, *, trusted_hosts: Sequence[str] = (), allowed: Iterable[str] = METHODS
) -> None:
    """Refuse what no service should have to read.

    `allowed` are the methods that the address knows, as far as the gateway can tell.

    Raises:
        MethodRefused: not one of `METHODS`.
        BadRequest: the path could be read in two ways, or the headers contradict each other.
        AddressTooLong: path or query.
        HeadersTooLarge: in number or size.
        WrongHost: not one of the trusted hosts, when there are any.
    """
    if scope["method"] not in METHODS:
        raise refuse_method(allowed)
    raw: bytes = scope.get("raw_path") or b""
    path: str = scope["path"]
    if len(raw) > MAX_PATH_BYTES or len(path) > MAX_PATH_BYTES:
        raise AddressTooLong(f"A path has at most {MAX_PATH_BYTES} bytes")
    if len(scope.get("query_string", b"")) > MAX_QUERY_BYTES:
        raise AddressTooLong(f"A query has at most {MAX_QUERY_BYTES} bytes")
    if not _is_path(path, raw):
        raise BadRequest(
            "Write the path without empty or dotted segments, backslashes, encoded slashes and control characters"
        )
    _check_headers(scope["headers"], trusted_hosts)


@lru_cache(maxsize=512)
def _is_path(path: str, raw: bytes) -> bool:
    return path.startswith("/") and not _BAD_PATH.search(path) and not _BAD_RAW.search(raw)


@lru_cache(maxsize=128)
def _are_names(names: bytes, count: int) -> bool:
    """Say whether these are so many names of headers; browsers of one make send the same ones each time."""
    return _NAMES.fullmatch(names) is not None and names.count(b"\n") == count - 1


def _check_headers(headers: Headers, trusted_hosts: Sequence[str]) -> None:
    if len(headers) > MAX_HEADERS:
        raise HeadersTooLarge(f"Send at most {MAX_HEADERS} headers")
    names = b"\n".join([name for name, _ in headers])
    values = b" ".join([value for _, value in headers])
    if len(names) + len(values) - 2 * len(headers) + 2 > MAX_HEADER_BYTES:
        raise HeadersTooLarge(f"Send at most {MAX_HEADER_BYTES} bytes of headers")
    if headers and (not _are_names(names, len(headers)) or _BAD_VALUE.search(values)):
        raise BadRequest("A header holds a character that headers cannot hold")
    seen = by_name(headers)
    if len(seen) < len(headers):
        counted = Counter(name for name, _ in headers)
        for name in _ONCE.intersection(counted):
            if counted[name] > 1:
                raise BadRequest(f"Send {name.decode()} once")
    _check_framing(seen)
    if trusted_hosts:
        host = seen.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0].lower()
        if host not in trusted_hosts:
            raise WrongHost("Use the address under which this installation is known")


def _check_framing(seen: Mapping[bytes, bytes]) -> None:
    """Refuse a body whose end two servers could see at different places."""
    length, coding = seen.get(b"content-length"), seen.get(b"transfer-encoding")
    if length is not None and coding is not None:
        raise BadRequest("Send Content-Length or Transfer-Encoding, not both")
    if length is not None and not length.isdigit():
        raise BadRequest("Content-Length: a number of bytes")
    if coding is not None and coding.strip().lower() != b"chunked":
        raise BadRequest("Transfer-Encoding: chunked is the only one taken")


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of a header that can stand only once."""
    for found, value in scope["headers"]:
        if found == name:
            return bytes(value)
    return None


def passing_headers(headers: Headers) -> Headers:
    """Return what a service may see of a caller's headers: nothing about identity, nothing about this connection."""
    passing = [one for one in headers if _passes(one[0])]
    named: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
    return [one for one in passing if one[0] not in named] if named else passing


@lru_cache(maxsize=1_024)
def _passes(name: bytes) -> bool:
    return (
        name not in _HOP_BY_HOP
        and name not in _IDENTITY
        and b"_" not in name  # some servers read X_User as X-User
        and not name.startswith(_IDENTITY_STARTS)
    )


def answer_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return what a caller may see of a service's answer headers, names in lower case."""
    return [(name.lower(), value) for name, value in headers if name.lower() not in _ANSWER_DROPS]


@lru_cache(maxsize=64)
def _masks(among: tuple[Network, ...]) -> tuple[tuple[int, int], ...]:
    """Return mask and address of the networks of IPv4."""
    return tuple(
        (int(one.netmask), int(one.network_address))
        for one in among
        if isinstance(one, ipaddress.IPv4Network)
    )


def is_in(address: str, among: Iterable[Network]) -> bool:
    """Say whether an address lies in one of the networks; what is no address lies in none."""
    plain = _IPV4.fullmatch(address)
    if plain is not None:  # as most are; the library takes ten times as long
        one, two, three, four = map(int, plain.groups())
        number = one << 24 | two << 16 | three << 8 | four
        return any(number & mask == network for mask, network in _masks(tuple(among)))
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed.version == one.version and parsed in one for one in among)


@lru_cache(maxsize=1_024)
def _is_proxy(address: str, proxies: tuple[Network, ...]) -> bool:
    """Say what `is_in` says; of the same few addresses again and again."""
    return is_in(address, proxies)


def peer(scope: Scope) -> str:
    """Return the address at the other end of the connection."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_forwarded(scope: Scope) -> bool:
    """Say whether a proxy stands in between, so that the peer's address says nothing about the caller."""
    return any(
        name in (b"forwarded", b"via", b"x-real-ip") or name.startswith(b"x-forwarded")
        for name, _ in scope["headers"]
    )


def caller_address(scope: Scope, proxies: Sequence[Network]) -> str:
    """Return the caller's address; X-Forwarded-For counts only from our own proxies, read from its right end."""
    address = peer(scope)
    if not proxies or not _is_proxy(address, tuple(proxies)):
        return address
    hops = [
        hop.strip()
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    for hop in reversed(hops):
        try:
            address = hop if _IPV4.fullmatch(hop) else str(ipaddress.ip_address(hop))
        except ValueError:
            return address
        if not is_in(address, proxies):
            return address
    return address
