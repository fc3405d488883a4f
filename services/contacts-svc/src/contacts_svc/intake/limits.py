"""How often one visitor may post, and how often one address may be named; in memory, per process.

What must survive a restart (one question per mailbox in 24 hours) is a row.
"""

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from contacts_svc.intake.errors import TooManyLeads
from contacts_svc.settings import ContactsSettings


class LeadLimits:
    """Sliding windows per network address and per posted address."""

    def __init__(self, *, per_ip: str, per_address: str) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._per_ip: RateLimitItem = parse(per_ip)
        self._per_address: RateLimitItem = parse(per_address)

    @classmethod
    def from_settings(cls, settings: ContactsSettings) -> "LeadLimits":
        """Read the limits from the settings."""
        return cls(per_ip=settings.form_posts_per_ip, per_address=settings.form_posts_per_address)

    def count_visitor(self, network_address: str) -> None:
        """Count a post. Raises `TooManyLeads`."""
        self._count(self._per_ip, "ip", network_address or "unknown")

    def count_address(self, address: str) -> None:
        """Count a post that names this address. Raises `TooManyLeads`."""
        self._count(self._per_address, "address", address)

    def _count(self, item: RateLimitItem, kind: str, key: str) -> None:
        if not self._window.hit(item, kind, key):
            wait = item.get_expiry()
            raise TooManyLeads(
                f"At most {item}; wait a little", headers={"Retry-After": str(min(wait, 60))}
            )
