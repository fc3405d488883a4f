"""What goes to each domain: its limits kept, and a domain that puts mails off left alone for a while.

Only domains that are limited or slow are looked at here; all others pass by a look-up. A message that must wait is told
until when, and is not held: a slow domain's messages take no place of others.
"""

import random
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from kantis_kit import observability
from messaging_svc.relays.routes import Route
from messaging_svc.wire.answers import CLOSING, PERMANENT, Refused

log = observability.get_logger(__name__)

_MINUTE = timedelta(minutes=1)
_STRIKES = 3
"""So many messages one after the other are put off for no reason of their own before their domain is left alone."""
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3_600.0
_TRIAL_SECONDS = 5.0
_SPREAD_SECONDS, _LONGEST_SPREAD_SECONDS = 0.01, 60.0
_FIRST_GUESS_SECONDS, _QUICKEST_SECONDS = 0.5, 0.02
_STATUS = re.compile(r"\b4\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_LONGEST_ANSWER = 300
_ABOUT_ONE_MESSAGE = frozenset({"1", "2", "6"})
"""Subjects of an enhanced status that concern an address, a mailbox or a text. Source: RFC 3463 (3), 2026-11."""
_ABOUT_US = "7"
_GRAVE = frozenset({("3", "2"), ("4", "5")})
"""The system takes no mail for now; it is congested."""


class Tracked(Protocol):
    """A message, as far as it matters here."""

    @property
    def id(self) -> UUID:
        """Return its id."""
        ...

    @property
    def is_marketing(self) -> bool:
        """Say whether it can wait for a slower pace."""
        ...

    @property
    def claimed_until(self) -> datetime:
        """Say when whatever is under way is somebody else's."""
        ...


@dataclass(frozen=True, slots=True)
class PutOff:
    """Until when a message waits, and why."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Slow:
    """A lane that is left alone."""

    lane: str
    closed_until: datetime
    closings: int
    answer: str


@dataclass(slots=True, eq=False)
class _Lane:
    name: str
    admitted: deque[datetime] = field(default_factory=deque)
    reserved: deque[datetime] = field(default_factory=deque)
    under_way: dict[UUID, tuple[datetime, datetime]] = field(default_factory=dict)
    seconds_each: float = _FIRST_GUESS_SECONDS
    free_at: datetime | None = None
    strikes: int = 0
    closings: int = 0
    closed_until: datetime | None = None
    put_off: int = 0
    answer: str = ""


class Traffic:
    """The lanes of one sender that are limited or slow."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._lanes: dict[str, _Lane] = {}
        self._under_way: dict[UUID, _Lane] = {}
        self._closed: set[str] = set()
        self._opened: set[str] = set()
        self.senders = 1
        """How many senders share the limits."""

    @property
    def is_watching(self) -> bool:
        """Say whether any lane wants to hear of what goes well."""
        return bool(self._lanes or self._under_way)

    def concerns(self, route: Route) -> bool:
        """Say whether anything but its relays keeps a message from this domain."""
        return route.is_limited or route.lane in self._lanes

    # -- before a message leaves -------------------------------------------------------------------------------------

    def admit(self, item: Tracked, route: Route, now: datetime) -> PutOff | None:
        """Let a message go, or say until when it waits."""
        lane = self._lane(route.lane)
        if lane.closed_until is not None and now < lane.closed_until:
            return self._wait_for_opening(lane, lane.closed_until)
        at_once = self._share(route.connections)
        if lane.closings and (at_once is None or at_once > 1):
            at_once = 1  # after a pause one message finds out whether it is over
        if at_once is not None:
            self._drop_lost(lane, now)
            if len(lane.under_way) >= at_once:
                return self._wait_for_place(lane, at_once, now)
        if route.messages_per_minute is not None:
            waits = self._keep_pace(lane, self._share(route.messages_per_minute) or 1, item, now)
            if waits is not None:
                return waits
        if at_once is not None:
            lane.under_way[item.id] = (now, item.claimed_until)
            self._under_way[item.id] = lane
        return None

    def _lane(self, name: str) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name)
        return lane

    def _share(self, limit: int | None) -> int | None:
        return None if limit is None else max(1, limit // self.senders)

    def _wait_for_opening(self, lane: _Lane, opens_at: datetime) -> PutOff:
        lane.put_off += 1
        spread = min(_LONGEST_SPREAD_SECONDS, _SPREAD_SECONDS * lane.put_off)
        until = opens_at + timedelta(seconds=spread)
        return PutOff(until, f"{lane.name} puts mails off: {lane.answer}")

    def _wait_for_place(self, lane: _Lane, at_once: int, now: datetime) -> PutOff:
        if lane.closings:
            pause = timedelta(seconds=_TRIAL_SECONDS * self._chance.uniform(0.4, 1))
            return PutOff(now + pause, f"{lane.name} is tried again with one message")
        each = timedelta(seconds=lane.seconds_each / at_once)
        lane.free_at = max(lane.free_at or now, now) + each
        return PutOff(lane.free_at, f"{at_once} at once to {lane.name}")

    def _keep_pace(
        self, lane: _Lane, per_minute: int, item: Tracked, now: datetime
    ) -> PutOff | None:
        while lane.admitted and lane.admitted[0] <= now - _MINUTE:
            lane.admitted.popleft()
        if len(lane.admitted) < per_minute or not item.is_marketing:
            # What somebody waits for goes at once; it counts like the others.
            lane.admitted.append(now)
            _keep_last(lane.reserved, now, per_minute)
            return None
        before = lane.reserved[-per_minute] if len(lane.reserved) >= per_minute else now
        until = max(before, now - _MINUTE) + _MINUTE
        _keep_last(lane.reserved, until, per_minute)
        return PutOff(until, f"{per_minute} a minute to {lane.name}")

    @staticmethod
    def _drop_lost(lane: _Lane, now: datetime) -> None:
        """Forget what was never heard of again: its claim has run out."""
        for lost in [one for one, (_, until) in lane.under_way.items() if until <= now]:
            del lane.under_way[lost]

    # -- what became of it -------------------------------------------------------------------------------------------

    def ended(self, item_id: UUID, now: datetime) -> None:
        """Hear that a message is not under way any more."""
        lane = self._under_way.pop(item_id, None)
        if lane is None:
            return
        began = lane.under_way.pop(item_id, None)
        if began is not None:
            took = max(_QUICKEST_SECONDS, (now - began[0]).total_seconds())
            lane.seconds_each += 0.2 * (took - lane.seconds_each)

    def answered(self, route: Route) -> None:
        """Hear that the domain has decided on a message, whichever way: it is there."""
        lane = self._lanes.get(route.lane)
        if lane is None:
            return
        if lane.closings:
            self._opened.add(lane.name)
            log.info("relays.domain_answers", lane=lane.name)
        lane.strikes = lane.closings = lane.put_off = 0
        lane.closed_until = None
        if not route.is_limited:
            del self._lanes[lane.name]

    def refused(self, route: Route, refusal: Refused, now: datetime) -> None:
        """Hear that a message was put off; when that is about more than the message, leave the domain alone."""
        weight = _weight(refusal)
        if not weight:
            return
        lane = self._lane(route.lane)
        lane.strikes += weight
        lane.answer = nameless(str(refusal))
        is_closed = lane.closed_until is not None and now < lane.closed_until
        if not is_closed and (lane.strikes >= _STRIKES or lane.closings):
            lane.closings += 1
            pause = min(
                _LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(lane.closings - 1, 10)
            )
            lane.closed_until = now + timedelta(seconds=pause * self._chance.uniform(0.8, 1.2))
            lane.put_off = 0
            self._closed.add(lane.name)
            self._opened.discard(lane.name)
            log.warning("relays.domain_puts_off", lane=lane.name, answer=lane.answer[:100])

    # -- shared with the other senders -------------------------------------------------------------------------------

    def take_closed(self) -> list[Slow]:
        """Return what was closed since this was asked last."""
        names, self._closed = self._closed, set()
        return [
            Slow(lane.name, lane.closed_until, lane.closings, lane.answer)
            for name in sorted(names)
            if (lane := self._lanes.get(name)) is not None and lane.closed_until is not None
        ]

    def take_opened(self) -> list[str]:
        """Return what answers again since this was asked last."""
        names, self._opened = self._opened, set()
        return sorted(names)

    def adopt(self, slow: Iterable[Slow]) -> None:
        """Leave alone what any sender leaves alone, and no longer what a person or another sender has opened."""
        told = {one.lane: one for one in slow}
        for one in told.values():
            if one.lane in self._opened:
                continue
            lane = self._lane(one.lane)
            if lane.closed_until is None or lane.closed_until < one.closed_until:
                lane.closed_until, lane.closings = one.closed_until, one.closings
                lane.answer = one.answer
        for name, lane in list(self._lanes.items()):
            if lane.closings and name not in told and name not in self._closed:
                lane.strikes = lane.closings = 0
                lane.closed_until = None


def nameless(answer: str) -> str:
    """Return an answer without the addresses in it: it is told of a server or a domain, and of other people's messages."""
    return _ADDRESS.sub("…", answer)[:_LONGEST_ANSWER]


def _keep_last(moments: deque[datetime], moment: datetime, count: int) -> None:
    moments.append(moment)
    while len(moments) > count:
        moments.popleft()


def _weight(refusal: Refused) -> int:
    """Say how much an answer speaks against the domain: nothing, a strike, or enough by itself."""
    if refusal.code >= PERMANENT:
        return 0
    found = _STATUS.search(refusal.text)
    if refusal.code == CLOSING or (found and (found[1] == _ABOUT_US or found.groups() in _GRAVE)):
        return _STRIKES
    return 0 if found and found[1] in _ABOUT_ONE_MESSAGE else 1
