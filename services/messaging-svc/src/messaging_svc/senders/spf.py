"""SPF, as far as it can be told beforehand which of our addresses a receiver will see.

Source: RFC 7208 (4.6.4: at most ten look-ups; 5: mechanisms; 6.1: redirect), 2026-11.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from messaging_svc.senders.clients import Resolver

VERSION = "v=spf1"
_MOST_LOOKUPS = 10
_Address = IPv4Address | IPv6Address


class TooManyLookups(ValueError):
    """Receivers give up on such a record: it counts as a mistake."""


def is_spf(record: str) -> bool:
    """Say whether a TXT record is one of SPF."""
    return record == VERSION or record.startswith(f"{VERSION} ")


async def permits(resolver: Resolver, domain: str, address: str) -> bool:
    """Say whether a domain permits mails from an address.

    Raises:
        CannotAsk: no name server answers.
        TooManyLookups: the record asks for more than ten.
    """
    return await _Walk(resolver, ip_address(address)).permits(domain)


class _Walk:
    """One evaluation, with its count of look-ups."""

    def __init__(self, resolver: Resolver, address: _Address) -> None:
        self._resolver = resolver
        self._address = address
        self._left = _MOST_LOOKUPS

    async def permits(self, domain: str) -> bool:
        """Say whether the record of a domain lets the address pass."""
        records = [one for one in await self._resolver.texts(domain) if is_spf(one)]
        if len(records) != 1:
            return False
        redirect = ""
        for term in records[0].split()[1:]:
            if term.lower().startswith("redirect="):
                redirect = term.partition("=")[2]
                continue
            sign, rest = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
            if await self._matches(rest, domain):
                return sign == "+"
        if redirect:
            self._count()
            return await self.permits(redirect)
        return False

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooManyLookups(f"more than {_MOST_LOOKUPS} look-ups")

    async def _matches(self, mechanism: str, domain: str) -> bool:
        name, _, value = mechanism.partition(":")
        kind, _, length = name.lower().partition("/")
        if kind == "all":
            return True
        if kind in ("ip4", "ip6"):
            return self._is_in(value)
        host, _, value_length = (value or domain).partition("/")
        if kind == "include":
            self._count()
            return await self.permits(host)
        if kind in ("a", "mx"):
            self._count()
            hosts = [host] if kind == "a" else await self._resolver.exchangers(host)
            width = (length or value_length).partition("/")[0]
            for each in hosts:
                for one in await self._resolver.addresses(each):
                    if self._is_in(f"{one}/{width}" if width and ":" not in one else one):
                        return True
            return False
        return False  # `exists`, `ptr` and macros depend on the mail: nothing can be told

    def _is_in(self, network: str) -> bool:
        try:
            return self._address in ip_network(network, strict=False)
        except ValueError:
            return False
