"""The DNS, as far as a check of our own domain asks it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver
from dns.rdatatype import RdataType

from kantis_kit.errors import KantisError
from messaging_svc.settings import MessagingSettings

_PORT = 53


class CannotAsk(KantisError):
    """No name server gave an answer: nothing is known."""


class Resolver(Protocol):
    """Answers with what stands in the DNS; with nothing where nothing stands."""

    async def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name.

        Raises:
            CannotAsk: no server answers.
        """
        ...

    async def addresses(self, name: str) -> list[str]:
        """Return the addresses of a host.

        Raises:
            CannotAsk: no server answers.
        """
        ...

    async def exchangers(self, name: str) -> list[str]:
        """Return the hosts that receive mail for a domain.

        Raises:
            CannotAsk: no server answers.
        """
        ...


class DnsResolver:
    """Asks real name servers."""

    def __init__(self, servers: Sequence[str], timeout_seconds: float) -> None:
        self._servers = servers
        self._timeout = timeout_seconds
        self._resolver: dns.asyncresolver.Resolver | None = None

    @classmethod
    def from_settings(cls, settings: MessagingSettings) -> "DnsResolver":
        """Return what asks the servers of the settings."""
        return cls(settings.dns_servers, settings.dns_timeout_seconds)

    async def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name."""
        return [
            b"".join(one.strings).decode("utf-8", "replace")
            for one in await self._ask(name, RdataType.TXT)
        ]

    async def addresses(self, name: str) -> list[str]:
        """Return the addresses of a host."""
        four, six = await asyncio.gather(
            self._ask(name, RdataType.A), self._ask(name, RdataType.AAAA)
        )
        return [one.address for one in (*four, *six)]

    async def exchangers(self, name: str) -> list[str]:
        """Return the hosts that receive mail for a domain."""
        found = await self._ask(name, RdataType.MX)
        return [one.exchange.to_text(omit_final_dot=True) for one in found]

    async def _ask(
        self, name: str, kind: RdataType
    ) -> list[Any]:  # the library types no record by its kind
        try:
            return list(await self._made().resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise CannotAsk(f"{name}: {type(error).__name__}") from error

    def _made(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [
                    dns.nameserver.Do53Nameserver(host.strip("[]"), int(port or _PORT))
                    for host, _, port in (one.rpartition(":") for one in self._servers)
                ]
            resolver.lifetime = self._timeout
            self._resolver = resolver
        return self._resolver
