"""Which relays serve a domain, and which limits it has: worked out once for each domain, then a look-up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from uuid import UUID

from messaging_svc.wire.server import Tls

GROUP = "group:"
_DOMAINS_HELD = 50_000
SETTINGS_RELAY = UUID(int=0)
"""The id of the relay that stands in the settings."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server as a sender knows it."""

    id: UUID
    name: str
    host: str
    port: int
    tls: Tls = "none"
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = 8
    domains: tuple[str, ...] = ()
    priority: int = 50


@dataclass(frozen=True, slots=True)
class Group:
    """Domains that are limited alike, or together."""

    name: str
    patterns: tuple[str, ...]
    is_together: bool = True
    messages_per_minute: int | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a domain: the name under which it is limited, and its relays, the first choice first."""

    lane: str
    relays: tuple[UUID, ...]
    messages_per_minute: int | None = None
    connections: int | None = None

    @property
    def is_limited(self) -> bool:
        """Say whether anything but the relays limits it."""
        return self.messages_per_minute is not None or self.connections is not None


class Routes:
    """The ways to all domains."""

    def __init__(self, relays: Sequence[Relay], groups: Sequence[Group] = ()) -> None:
        self.relays = {one.id: one for one in relays}
        self._groups = groups
        self._patterns = {one.name: one.patterns for one in groups}
        self._known: dict[str, Route] = {}

    def to(self, domain: str) -> Route:
        """Return the way to a domain."""
        route = self._known.get(domain)
        if route is None:
            if len(self._known) >= _DOMAINS_HELD:
                self._known.clear()
            route = self._known[domain] = self._find(_plain(domain))
        return route

    def _find(self, domain: str) -> Route:
        relays = sorted(
            (one for one in self.relays.values() if self._serves(one, domain)),
            # Of two of the same rank the one that was meant for this domain.
            key=lambda one: (one.priority, not one.domains, one.name),
        )
        served = tuple(one.id for one in relays)
        group = self._group_of(domain)
        if group is None:
            return Route(domain, served)
        lane = f"{GROUP}{group.name}" if group.is_together else domain
        return Route(lane, served, group.messages_per_minute, group.connections)

    def _serves(self, relay: Relay, domain: str) -> bool:
        if not relay.domains:
            return True
        return any(
            fnmatchcase(domain, pattern)
            for one in relay.domains
            for pattern in (
                self._patterns.get(one.removeprefix(GROUP), ()) if one.startswith(GROUP) else (one,)
            )
        )

    def _group_of(self, domain: str) -> Group | None:
        """Return the group whose pattern says most of the domain."""
        fitting = [
            ("*" not in pattern, len(pattern), group.name, group)
            for group in self._groups
            for pattern in group.patterns
            if fnmatchcase(domain, pattern)
        ]
        return max(fitting, key=lambda one: one[:3])[3] if fitting else None


def _plain(domain: str) -> str:
    """Return a domain as the DNS knows it; one that cannot be written so is refused when its mail is."""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.lower()
