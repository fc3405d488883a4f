"""How often one visitor may post, and how often one address may be named; in memory, per process.

What must survive a restart (one question per mailbox in 24 hours) is a row.
"""

import time
from collections.abc import Callable

from limits import RateLimitItem, parse

from contacts_svc.intake.errors import TooManyLeads
from contacts_svc.settings import ContactsSettings

_Posts = dict[str, list[float]]


class _Window:
    """So many posts in any span of the rule's length, counted exactly.

    What is no longer counted goes by generations: those who have not posted for a whole length are dropped at once, with
    their dictionary. Nobody ever walks over all of them: a sweep over a hundred thousand addresses holds up every lead.
    """

    def __init__(self, rule: str, moment: Callable[[], float]) -> None:
        self.item: RateLimitItem = parse(rule)
        self._most = self.item.amount
        self._length = float(self.item.get_expiry())
        self._moment = moment
        self._young: _Posts = {}
        self._old: _Posts = {}
        self._turn_at = moment() + self._length

    def hit(self, who: str) -> bool:
        """Count a post; False when it is one too many, and then it is not counted."""
        now = self._moment()
        if now >= self._turn_at:
            # Of those who posted before the last turn alone, every post is older than a whole length.
            late = now >= self._turn_at + self._length
            self._old, self._young = ({} if late else self._young), {}
            self._turn_at = now + self._length
        posts = self._young.get(who)
        if posts is None:
            posts = self._young[who] = self._old.pop(who, [])
        while posts and posts[0] <= now - self._length:
            del posts[0]
        if len(posts) >= self._most:
            return False
        posts.append(now)
        return True

    def take_back(self, who: str) -> None:
        """Count the last post no longer."""
        posts = self._young.get(who)
        if posts:
            posts.pop()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


class LeadLimits:
    """Sliding windows per network address and per posted address."""

    def __init__(
        self, *, per_ip: str, per_address: str, moment: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_ip = _Window(per_ip, moment)
        self._per_address = _Window(per_address, moment)

    @classmethod
    def from_settings(
        cls, settings: ContactsSettings, *, moment: Callable[[], float] = time.monotonic
    ) -> "LeadLimits":
        """Read the limits from the settings."""
        return cls(
            per_ip=settings.form_posts_per_ip,
            per_address=settings.form_posts_per_address,
            moment=moment,
        )

    def count_visitor(self, network_address: str) -> None:
        """Count a post. Raises `TooManyLeads`."""
        _count(self._per_ip, network_address or "unknown")

    def count_address(self, address: str) -> None:
        """Count a post that names this address. Raises `TooManyLeads`."""
        _count(self._per_address, address)

    def take_visitor_back(self, network_address: str) -> None:
        """Count the last post of a visitor no longer: it could not be kept, and comes again."""
        self._per_ip.take_back(network_address or "unknown")

    def take_address_back(self, address: str) -> None:
        """Count the last post that named an address no longer."""
        self._per_address.take_back(address)

    @property
    def remembered(self) -> int:
        """How many visitors and addresses are counted at present."""
        return len(self._per_ip) + len(self._per_address)


def _count(window: _Window, who: str) -> None:
    if not window.hit(who):
        wait = window.item.get_expiry()
        raise TooManyLeads(
            f"At most {window.item}; wait a little", headers={"Retry-After": str(min(wait, 60))}
        )
