"""Messages to other companies' systems: signed, sent to nobody inside the house, and tried again with longer pauses.

Whoever sends keeps the rows; this is how one attempt is made and when the next one is.

Source: Standard Webhooks 1.0 (standardwebhooks.com): `id.timestamp.body`, HMAC-SHA256, base64, `v1,` before it; 2026-11.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from kantis_kit.clock import Clock
from kantis_kit.errors import Invalid, Unavailable
from kantis_kit.http import CircuitOpen, OutgoingClient
from kantis_kit.ids import new_id
from kantis_kit.networks import Network

PREFIX = "whsec_"
PAUSES = tuple(
    timedelta(seconds=one) for one in (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400)
)
"""How long is waited after each attempt that failed; after the last one a person is asked. Two days in all."""
_SECRET_BYTES = 32
_GONE = 410
_BEGIN_OF_GOOD, _END_OF_GOOD = 200, 300
_BEGIN_OF_REDIRECT, _END_OF_REDIRECT = 300, 400


class TargetRefused(Invalid):
    """Nothing is sent there: it is no web address, not encrypted, or inside the house."""

    slug, title = "webhook-target-refused", "Nothing is sent to this address"


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, and what signs it."""

    url: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended; no status when nobody answered. What the other side wrote is not kept."""

    status: int | None = None
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        """Say whether the other side has it."""
        return self.status is not None and _BEGIN_OF_GOOD <= self.status < _END_OF_GOOD

    @property
    def is_final(self) -> bool:
        """Say whether another attempt could not end otherwise: the other side wants no more, or may not be asked."""
        return self.status == _GONE or self.problem == TargetRefused.slug


def make_secret() -> tuple[str, str]:
    """Return the id of a new key, and the key itself in the form in which it is told once."""
    return f"whk_{new_id().hex[-12:]}", PREFIX + base64.b64encode(
        secrets.token_bytes(_SECRET_BYTES)
    ).decode()


def signature(key: bytes, *parts: bytes) -> str:
    """Return the signature of parts that are joined by dots."""
    return base64.b64encode(hmac.new(key, b".".join(parts), hashlib.sha256).digest()).decode()


def headers_for(target: Target, id_: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that say who it is from; `at` in seconds since 1970."""
    key = base64.b64decode(target.secret.removeprefix(PREFIX))
    signed = signature(key, id_.encode(), str(at).encode(), body)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Kantis-Webhooks/1",
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signed}",
        "webhook-key-id": target.key_id,
    }


def may_reach(address: str, allowed: Sequence[Network]) -> bool:
    """Say whether an address is one of the public net, or of a network that is allowed by name."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in allowed):
        return True
    # Of the blocks that lead to other addresses, what lies behind them is not seen here.
    leads_on = isinstance(found, IPv6Address) and (found.sixtofour or found.teredo)
    return found.is_global and not found.is_multicast and not leads_on


def check_target(url: str, allowed: Sequence[Network]) -> None:
    """Refuse what nothing may be sent to. Where a name leads is looked at again with every connection.

    Raises:
        TargetRefused: no web address, one with a password, not encrypted, or inside the house.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise TargetRefused(
            "url: write a whole address, such as https://example.com/hook"
        ) from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise TargetRefused("url: write a whole address, such as https://example.com/hook")
    if parts.username is not None or parts.password is not None:
        raise TargetRefused(
            "url: leave the user and the password out; the signature says who it is"
        )
    try:
        address: str | None = str(ip_address(host))
    except ValueError:
        address = None
    if address is not None and not may_reach(address, allowed):
        raise TargetRefused(
            f"url: {host} lies inside; only addresses of the public net are sent to"
        )
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise TargetRefused(
            f"url: {host} lies inside; only addresses of the public net are sent to"
        )
    is_ours = address is not None and any(ip_address(address) in one for one in allowed)
    if parts.scheme == "http" and not is_ours:
        raise TargetRefused("url: begin it with https://; what is told of people is encrypted")


class Sender:
    """Makes attempts. A target that has failed often is left alone for a while; the attempt counts nevertheless."""

    def __init__(
        self, *, clock: Clock, allowed: Sequence[Network] = (), timeout_seconds: float = 10.0
    ) -> None:
        self._clock, self._allowed = clock, allowed
        self._client = OutgoingClient(
            timeout_seconds=timeout_seconds,
            retries=0,
            clock=clock,
            may_reach=lambda address: may_reach(address, allowed),
        )

    async def send(self, target: Target, id_: str, body: bytes) -> Answer:
        """Make one attempt; no redirect is followed."""
        try:
            check_target(target.url, self._allowed)
        except TargetRefused:
            return Answer(problem=TargetRefused.slug)
        at = int(self._clock.now().timestamp())
        try:
            answer = await self._client.request(
                "POST", target.url, content=body, headers=headers_for(target, id_, at, body)
            )
        except CircuitOpen:
            return Answer(problem="has failed too often lately and is left alone for a while")
        except Unavailable as error:
            return Answer(problem=error.slug)
        status = answer.status_code
        if _BEGIN_OF_GOOD <= status < _END_OF_GOOD:
            return Answer(status)
        is_elsewhere = _BEGIN_OF_REDIRECT <= status < _END_OF_REDIRECT
        return Answer(status, f"HTTP {status}{', which is not followed' if is_elsewhere else ''}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def pause_after(attempts: int) -> timedelta | None:
    """Return how long is waited after so many attempts; None when a person is asked."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
