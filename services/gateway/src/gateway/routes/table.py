"""Which service answers which path. This is the only place that knows.

A path under `/v1` needs a key. The public prefixes need none: they are pages for people and links in delivered mail,
and what they may do is signed into their addresses. Where two prefixes fit, the longer one decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
BODY_BYTES = MEGABYTE
PUBLIC_BODY_BYTES = 64 * 1024
IMPORT_BODY_BYTES = 1024 * MEGABYTE
REGISTER_BODY_BYTES = 100 * MEGABYTE
MAIL_BODY_BYTES = 30 * MEGABYTE
OUTCOMES_BODY_BYTES = 10 * MEGABYTE
PAYMENTS_BODY_BYTES = 512 * MEGABYTE
MAX_DEPTH = 3

SERVICES = ("contacts", "campaign", "orders", "messaging", "analytics")
"""The services behind the gateway."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path prefix, by whole segments, and who answers below it."""

    prefix: str
    service: str
    needs_key: bool = True
    max_body_bytes: int = BODY_BYTES

    @property
    def is_long(self) -> bool:
        """Say whether a request may take minutes, because its body is large."""
        return self.max_body_bytes > BODY_BYTES


_API: dict[str, tuple[str, ...]] = {
    "contacts": (
        "contacts", "duplicates", "exports", "fields", "forms", "imports", "insights", "interactions", "merges",
        "organisations", "permissions", "privacy", "quality", "registers", "segments", "topics", "value", "visits",
    ),
    "campaign": (
        "campaign-memory", "campaigns", "care", "club", "community", "company-events", "competitions", "context-events",
        "coupon-series", "coupons", "milestones", "offers", "preflight-thresholds", "programmes", "referrers", "rules", "seeds", "steps",
        "surveys", "tasks", "webhooks",
    ),
    "orders": (
        "credit", "deadlines", "deliveries", "desk", "dunning", "dunning/agency-reports", "inquiries", "invoices", "ledger",
        "orders", "parcels", "payments", "payments/files", "postal-returns", "postal-returns/files", "products",
        "response-files", "responses", "returns", "waves",
    ),
    "messaging": (
        "bounces", "calls", "conversations", "conversations/mails", "inbound", "launches", "letters", "mail-domains",
        "messages", "places", "relays", "senders", "sending-rules", "sms", "suppressions", "templates",
    ),
    "analytics": ("reports",),
    "gateway": ("keys", "users"),
}  # fmt: skip
_PUBLIC = {
    "/f": "contacts",  # forms and the leads that come from them
    "/p": "contacts",  # confirmations, preferences and what else people do for themselves
    "/v": "contacts",  # visits to web sites
    "/u": "messaging",  # unsubscribe
    "/c": "messaging",  # clicks
    "/o": "messaging",  # opens
    "/chat": "messaging",  # where people reach a person of ours
    "/s": "messaging",  # short links in text messages
    "/w": "messaging",  # what providers of text messages and mail report; what sites show
    "/q": "campaign",  # surveys
    "/e": "campaign",  # sign-ups for events
    "/r": "orders",  # response codes
    "/i": "orders",  # invoices, behind the link in a mail
    "/v1/reports/shared": "analytics",  # report pages behind a signed link
}
_LARGE = {
    "imports": IMPORT_BODY_BYTES,
    "registers": REGISTER_BODY_BYTES,
    "bounces": MAIL_BODY_BYTES,
    "conversations/mails": MAIL_BODY_BYTES,
    "calls": OUTCOMES_BODY_BYTES,
    "dunning/agency-reports": MAIL_BODY_BYTES,
    "payments/files": PAYMENTS_BODY_BYTES,
    "postal-returns/files": MAIL_BODY_BYTES,
    "response-files": IMPORT_BODY_BYTES,
}
"""Where files are sent; a reservation register of a whole country has some tens of megabytes."""
LEAD_PREFIX = "/f"


def _routes() -> Iterable[Route]:
    for service, names in _API.items():
        for name in names:
            size = _LARGE.get(name, BODY_BYTES)
            yield Route(f"/v1/{name}", service, max_body_bytes=size)
        yield Route(f"/v1/operations/{service}", service)
    for prefix, service in _PUBLIC.items():
        yield Route(prefix, service, needs_key=False, max_body_bytes=PUBLIC_BODY_BYTES)


class RouteTable:
    """Finds the route of a path."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._routes: dict[str, Route] = {}
        for route in (*_routes(), *routes):
            self.add(route)

    def add(self, route: Route) -> None:
        """Take one more prefix.

        Raises:
            ValueError: the prefix is not one to three plain segments, or is taken.
        """
        segments = route.prefix.split("/")[1:]
        if (
            not route.prefix.startswith("/")
            or not 1 <= len(segments) <= MAX_DEPTH
            or "" in segments
        ):
            message = (
                f"{route.prefix!r}: a prefix is one to {MAX_DEPTH} segments, such as /v1/orders"
            )
            raise ValueError(message)
        if route.prefix in self._routes:
            message = f"{route.prefix} belongs to {self._routes[route.prefix].service} already"
            raise ValueError(message)
        self._routes[route.prefix] = route

    def find(self, path: str) -> Route | None:
        """Return the route with the longest prefix that fits, by whole segments."""
        parts = path.split("/", MAX_DEPTH + 1)
        for depth in range(min(len(parts) - 1, MAX_DEPTH), 0, -1):
            route = self._routes.get("/".join(parts[: depth + 1]))
            if route is not None:
                return route
        return None

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes.values())
