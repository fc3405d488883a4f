"""Turn the parts of a frozen audience into pieces, each person once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

import orjson
from sqlalchemy import update
from sqlmodel import col

from campaign_svc.campaigns import codes, queries
from campaign_svc.campaigns.model import Campaign, Launch, NewPiece
from campaign_svc.campaigns.routing import FULL_SHARE_PCT, Placed, Placing
from campaign_svc.campaigns.schemas import PieceState, WhenShort
from campaign_svc.campaigns.sql import ADD_PIECES, STORED
from campaign_svc.campaigns.usecases.waves import (
    Group,
    advance,
    plan_of,
    release_wave,
    room,
    stage_releases,
)
from kantis_contracts.contacts import AudienceFrozenV1, AudienceMember, AudienceRefusal
from kantis_kit.errors import KantisError
from kantis_kit.ids import id_texts, new_id_text
from kantis_kit.tx import Tx

_DRAWS = 5


class LaunchMissing(KantisError):
    """An audience for a launch that this database does not hold: a person must look at it."""


async def take_audience(
    tx: Tx, part: AudienceFrozenV1, draw: Callable[[int], Sequence[str]] = codes.draw_codes
) -> None:
    """Store the members that are new, and release them unless they wait; the parts come in any order and more than once.

    Raises:
        LaunchMissing: there is no such launch.
    """
    launch = await tx.get(Launch, part.launch_id)
    if launch is None:
        raise LaunchMissing(f"no launch {part.launch_id}")
    campaign = await queries.get_campaign(tx, launch.campaign_id)
    plan = await plan_of(tx, campaign)
    placing = Placing(
        launch.id,
        plan.cells,
        part.routes,
        hold_out_pct=campaign.hold_out_pct,
        experiment_pct=_experiment_pct(campaign, launch),
    )
    state = await _first_state(tx, campaign, launch, len(part.items))
    groups = await _store(tx, launch, _grouped(placing, part.items), state=state, draw=draw)
    arrived = sum(len(group.pieces) for group in groups)
    chosen = [group for group in groups if not group.placed.reason]
    now = [
        group for group in chosen if state is PieceState.RELEASED and not group.placed.is_reserve
    ]
    stage_releases(tx, campaign, launch, plan, now, segment_name=part.segment_name)
    left_out = arrived - sum(len(group.pieces) for group in chosen)
    await advance(
        tx,
        launch.id,
        arrived=arrived,
        released=sum(len(group.pieces) for group in now),
        left_out=left_out,
        settled=left_out,
        total=part.total,
        segment_name=part.segment_name,
    )
    if len(now) < len(chosen):
        await release_wave(tx, launch.id)


def _experiment_pct(campaign: Campaign, launch: Launch) -> int:
    if campaign.experiment is None or launch.winner_cell_id is not None:
        return FULL_SHARE_PCT
    return int(campaign.experiment["share_pct"])


async def _first_state(tx: Tx, campaign: Campaign, launch: Launch, pieces: int) -> PieceState:
    """Say whether a part is released as it comes: nothing is rationed, nobody has paused it, and there is room."""
    has_room = room(tx, launch) >= pieces
    is_open = campaign.when_short == WhenShort.REFUSE and not launch.hold
    return PieceState.RELEASED if has_room and is_open else PieceState.WAITING


_People = dict[str, int]
"""Ids of people, as texts, each with the place of what they have in common with others."""


def _grouped(
    placing: Placing, members: Iterable[AudienceMember]
) -> tuple[_People, list[tuple[Placed, tuple[str, ...]]]]:
    """Return the people in the order of their ids, and what many of them share: where they stand and why they are chosen.

    In that order two parts with the same persons wait for each other, not in a ring.
    """
    left = {member.person_id.int: member for member in members}
    ways: dict[tuple[int, tuple[str, ...]], int] = {}
    shared: list[tuple[Placed, tuple[str, ...]]] = []
    places: list[int] = []
    ordered = [left[number] for number in sorted(left)]
    for member in ordered:
        placed = placing.place(member.person_id, member.route)
        key = (id(placed), member.because)
        place = ways.get(key)
        if place is None:
            place = ways[key] = len(shared)
            shared.append((placed, member.because))
        places.append(place)
    texts = id_texts([member.person_id for member in ordered])
    return dict(zip(texts, places, strict=True)), shared


async def _store(
    tx: Tx,
    launch: Launch,
    people: tuple[_People, list[tuple[Placed, tuple[str, ...]]]],
    *,
    state: PieceState,
    draw: Callable[[int], Sequence[str]],
) -> list[Group]:
    """Insert a piece for every member that has none; return the new ones."""
    left, shared = people
    groups = [Group(placed, because, []) for placed, because in shared]
    ways = _columns([_way(placed, because, state) for placed, because in shared])
    for _ in range(_DRAWS):
        if not left:
            break
        new = [
            NewPiece(new_id_text(), person_id, code)
            for person_id, code in zip(left, draw(len(left)), strict=True)
        ]
        places = list(left.values())
        ids, persons, drawn = _columns(new)
        rows = await tx.fetch(
            ADD_PIECES, launch.id, launch.campaign_id, ids, persons, drawn, places,
            list(range(len(shared))), *ways, tx.clock.now(),
        )  # fmt: skip
        # Only when somebody got no piece is there anything to look up: a delivery that came before, or one that is
        # taken at the same time, has given them theirs. Whoever has none met a code that is in use, and draws again.
        stored = {} if rows[0][0] == len(new) else await _stored(tx, launch.id, list(left))
        is_all = not stored and rows[0][0] == len(new)
        for piece, place in zip(new, places, strict=True):
            if is_all or stored.get(piece.person_id) == piece.id:
                groups[place].pieces.append(piece)
        left = {} if is_all else {who: at for who, at in left.items() if who not in stored}
    if left:
        message = f"no free response codes for {len(left)} persons after {_DRAWS} draws"
        raise KantisError(message)
    return [group for group in groups if group.pieces]


async def _stored(tx: Tx, launch_id: UUID, person_ids: list[str]) -> Mapping[str, str]:
    """Return of these ids of the audience those that have a piece, with its id."""
    return {row["named"]: row["id"] for row in await tx.fetch(STORED, launch_id, person_ids)}


def _columns(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _way(placed: Placed, because: Sequence[str], state: PieceState) -> tuple[object, ...]:
    its_state = state
    if placed.reason:
        its_state = PieceState.LEFT_OUT
    elif placed.is_reserve:
        its_state = PieceState.WAITING
    return (
        placed.cell_id, orjson.dumps(list(because)).decode(), placed.way.channel.value, placed.way.cost_minor,
        placed.worth, orjson.dumps(dict(placed.told)).decode(), placed.is_reserve, its_state.value, placed.reason,
    )  # fmt: skip


async def end_without_audience(tx: Tx, items: Sequence[AudienceRefusal]) -> None:
    """End launches that have nobody to send to; one that has got members is left alone."""
    for item in sorted(items, key=lambda one: one.launch_id):
        ended = await tx.scalar(
            update(Launch)
            .where(col(Launch.id) == item.launch_id, col(Launch.total).is_(None))
            .values(problem=item.reason[:100])
            .returning(col(Launch.id))
            .execution_options(synchronize_session=False)
        )
        if ended is not None:
            await advance(tx, item.launch_id, total=0)
