"""Which cell a person is in, by which channel they are reached, and who comes first when there is too little. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from kantis_contracts.contacts import Route
from kantis_contracts.values import Channel

FULL_SHARE_PCT = 100
NO_CHANNEL, HOLD_OUT, CAPACITY, BUDGET, STOPPED = (
    "no_channel", "hold_out", "capacity", "budget", "launch_stopped",
)  # fmt: skip
"""Why somebody of an audience gets no piece."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a cell speaks in one channel, and what a piece costs there."""

    channel: Channel
    template_id: UUID
    cost_minor: int


@dataclass(frozen=True, slots=True)
class CellPlan:
    """A cell: its share, and its channels in the order in which they are tried."""

    cell_id: UUID
    share_pct: int
    ways: tuple[Way, ...]
    takes: tuple[UUID, ...] = ()
    """The products of which an order takes one each: what is offered, and its packaging."""

    def way(self, channel: str) -> Way:
        """Return how the cell speaks in a channel."""
        return next(way for way in self.ways if way.channel == channel)


@dataclass(frozen=True, slots=True)
class Choice:
    """The channel of a person, and why it is that one."""

    way: Way
    is_wished: bool
    """It is the person's own choice, not that of the cell's order."""
    missed: Mapping[str, str] = field(default_factory=dict)
    """The channels that would have come before it, each with the reason against it."""

    def told(self) -> dict[str, Any]:
        """Return why, as it is stored with the piece."""
        return {"is_wished": self.is_wished, "missed": dict(self.missed)}


def choose(ways: Sequence[Way], route: Route) -> Choice | None:
    """Return by which of a cell's channels a person is reached: what they like best, else the cell's order.

    None when none of them reaches the person.
    """
    by_channel = {way.channel: way for way in ways}
    liked = [channel for channel in route.wished if channel in by_channel]
    missed: dict[str, str] = {}
    for place, channel in enumerate([*liked, *(one for one in by_channel if one not in liked)]):
        if channel in route.reached:
            return Choice(by_channel[channel], is_wished=place < len(liked), missed=missed)
        missed[channel.value] = route.missed.get(channel, "not_asked")
    return None


def bucket_of(salt: bytes, person_id: UUID) -> int:
    """Return a number from 0 to 99 that follows from the person and what it is for, and from nothing else."""
    return _bucket(salt + person_id.bytes)


def _bucket(what: bytes) -> int:
    return int.from_bytes(blake2b(what, digest_size=8).digest(), "big") % FULL_SHARE_PCT


def cell_of(launch_id: UUID, person_id: UUID, shares: Sequence[tuple[UUID, int]]) -> UUID:
    """Return the person's cell: the same at every delivery, and shared out as the percentages say.

    `shares` are (cell, share_pct) in a fixed order; the percentages sum to 100.
    """
    return shares[_spread(shares)[bucket_of(launch_id.bytes, person_id)]][0]


def _spread(shares: Sequence[tuple[UUID, int]]) -> list[int]:
    """Return for each bucket the place of its share."""
    filled = [place for place, (_, share_pct) in enumerate(shares) for _ in range(share_pct)]
    return [*filled, *[len(shares) - 1] * (FULL_SHARE_PCT - len(filled))]


@dataclass(frozen=True, slots=True)
class Placed:
    """What a launch makes of a person of its audience; with a `reason`, no piece."""

    cell_id: UUID
    way: Way
    worth: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    is_reserve: bool = False
    """Waits for the winner of the experiment."""


class _Variants(NamedTuple):
    """What a launch may make of people whom the same cell reaches in the same way."""

    placed: Placed
    held_out: Placed
    reserve: Placed


class Placing:
    """Puts the people of a launch into cells and channels: the same for everybody, however often they come."""

    def __init__(
        self,
        launch_id: UUID,
        cells: Sequence[CellPlan],
        routes: Sequence[Route],
        *,
        hold_out_pct: int = 0,
        experiment_pct: int = FULL_SHARE_PCT,
    ) -> None:
        self._salt = launch_id.bytes
        self._hold_out_salt = b"hold out" + launch_id.bytes
        self._experiment_salt = b"experiment" + launch_id.bytes
        self._cells = cells
        self._cell_at = _spread([(cell.cell_id, cell.share_pct) for cell in cells])
        self._routes = routes
        self._hold_out_pct = hold_out_pct
        self._experiment_pct = experiment_pct
        self._chosen: dict[tuple[int, int | None], _Variants] = {}

    def place(self, person_id: UUID, route: int | None) -> Placed:
        """Return what the launch makes of a person; `route` is the place of theirs, None where none was asked for.

        People of whom it makes the same get the same object.
        """
        who = person_id.bytes
        at = self._cell_at[_bucket(self._salt + who)]
        found = self._chosen.get((at, route))
        if found is None:
            placed = self._choose(self._cells[at], route)
            found = self._chosen[at, route] = _Variants(
                placed, replace(placed, reason=HOLD_OUT), replace(placed, is_reserve=True)
            )
        if found.placed.reason:
            return found.placed
        if self._hold_out_pct and _bucket(self._hold_out_salt + who) < self._hold_out_pct:
            return found.held_out
        everybody = self._experiment_pct == FULL_SHARE_PCT
        if everybody or _bucket(self._experiment_salt + who) < self._experiment_pct:
            return found.placed
        return found.reserve

    def _choose(self, cell: CellPlan, route: int | None) -> Placed:
        if route is None:
            return Placed(cell.cell_id, cell.ways[0])
        known = self._routes[route]
        choice = choose(cell.ways, known)
        if choice is None:
            missed = {channel.value: reason for channel, reason in known.missed.items()}
            return Placed(
                cell.cell_id, cell.ways[0], known.worth, {"missed": missed}, reason=NO_CHANNEL
            )
        return Placed(cell.cell_id, choice.way, known.worth, choice.told())


@dataclass(frozen=True, slots=True)
class Expected:
    """How many pieces of a cell would go out by a channel, to people of one worth."""

    cell: CellPlan
    way: Way
    worth: int
    pieces: float


@dataclass(frozen=True, slots=True)
class Ration:
    """What remains of the expected pieces when there is too little for all."""

    kept: Sequence[Expected]
    left_out: Mapping[str, int]


def expect(
    groups: Iterable[tuple[Route, int]], cells: Sequence[CellPlan], *, hold_out_pct: int = 0
) -> Ration:
    """Return the pieces that a launch would make of these people, and who gets none for want of a channel."""
    found: list[Expected] = []
    unreached = held_out = 0.0
    for route, people in groups:
        for cell in cells:
            share = people * cell.share_pct / FULL_SHARE_PCT
            choice = choose(cell.ways, route)
            if choice is None:
                unreached += share
                continue
            out = share * hold_out_pct / FULL_SHARE_PCT
            held_out += out
            found.append(Expected(cell, choice.way, route.worth, share - out))
    left_out = {NO_CHANNEL: round(unreached), HOLD_OUT: round(held_out)}
    return Ration(found, {reason: people for reason, people in left_out.items() if people})


def ration(expected: Sequence[Expected], *, capacity: int | None, budget: int | None) -> Ration:
    """Keep the pieces to the most active and valuable people while there is room and money; of equals, a share."""
    room = float("inf") if capacity is None else float(capacity)
    money = float("inf") if budget is None else float(budget)
    kept: list[Expected] = []
    left_out = {CAPACITY: 0.0, BUDGET: 0.0}
    ended = ""
    for worth in sorted({one.worth for one in expected}, reverse=True):
        band = [one for one in expected if one.worth == worth]
        pieces = sum(one.pieces for one in band)
        if ended:  # whoever is worth less comes after these, also where they would cost less
            left_out[ended] += pieces
            continue
        cost = sum(one.pieces * one.way.cost_minor for one in band)
        by_room = min(1.0, room / pieces) if pieces else 1.0
        by_money = min(1.0, money / cost) if cost else 1.0
        part = min(by_room, by_money)
        kept += [Expected(one.cell, one.way, one.worth, one.pieces * part) for one in band]
        room -= pieces * part
        money -= cost * part
        if part < 1:
            ended = CAPACITY if by_room <= by_money else BUDGET
            left_out[ended] += pieces * (1 - part)
    counted = {reason: round(people) for reason, people in left_out.items()}
    return Ration(kept, {reason: people for reason, people in counted.items() if people})
