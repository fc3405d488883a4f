"""Turn the parts of a frozen audience into pieces, each person once."""

from collections.abc import Callable, Sequence
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    case,
    cast,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns import codes, queries
from campaign_svc.campaigns.model import Campaign, Launch, NewPiece, Piece
from campaign_svc.campaigns.routing import FULL_SHARE_PCT, Placing
from campaign_svc.campaigns.schemas import PieceState, WhenShort
from campaign_svc.campaigns.usecases.waves import (
    advance,
    plan_of,
    release_wave,
    room,
    stage_releases,
)
from kantis_contracts.contacts import AudienceFrozenV1, AudienceMember, AudienceRefusal
from kantis_kit.db.aliases import placed
from kantis_kit.db.sets import one_of, row_set
from kantis_kit.errors import KantisError
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_DRAWS = 5


class LaunchMissing(KantisError):
    """An audience for a launch that this database does not hold: a person must look at it."""


async def take_audience(
    tx: Tx, part: AudienceFrozenV1, draw: Callable[[], str] = codes.draw_code
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
    pieces = await _store(tx, launch, placing, part.items, state=state, draw=draw)
    chosen = [piece for piece in pieces if not piece.placed.reason]
    now = [
        piece for piece in chosen if state is PieceState.RELEASED and not piece.placed.is_reserve
    ]
    stage_releases(tx, campaign, launch, plan, now, segment_name=part.segment_name)
    left_out = len(pieces) - len(chosen)
    await advance(
        tx,
        launch.id,
        arrived=len(pieces),
        released=len(now),
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


async def _store(
    tx: Tx,
    launch: Launch,
    placing: Placing,
    members: Sequence[AudienceMember],
    *,
    state: PieceState,
    draw: Callable[[], str],
) -> list[NewPiece]:
    """Insert a piece for every member that has none; return the new ones."""
    # In the order of the persons, so that two parts with the same persons wait for each other, not in a ring.
    left = {member.person_id: member for member in sorted(members, key=lambda m: m.person_id)}
    made: list[NewPiece] = []
    for _ in range(_DRAWS):
        # At first, whoever has a piece from an earlier delivery; then whoever got one from a part taken at the same
        # time. Whoever is left after an insertion met a code that is in use, and draws again.
        for person_id in await _with_piece(tx, launch.id, list(left)):
            left.pop(person_id)
        if not left:
            return made
        fresh = {
            person_id: NewPiece(
                id=new_id(),
                person_id=person_id,
                response_code=draw(),
                because=member.because,
                placed=placing.place(person_id, member.route),
            )
            for person_id, member in left.items()
        }
        for person_id in sorted(await _insert(tx, launch, list(fresh.values()), state)):
            made.append(fresh[person_id])
            left.pop(person_id)
        if not left:
            return made
    message = f"no free response codes for {len(left)} persons after {_DRAWS} draws"
    raise KantisError(message)


async def _with_piece(tx: Tx, launch_id: UUID, person_ids: list[UUID]) -> set[UUID]:
    rows = await tx.scalars(
        select(_NAMED).where(
            col(Piece.launch_id) == launch_id, one_of(person_ids, Uuid()) == _NAMED
        )
    )
    return set(rows)


_COLUMNS = (
    column("id", Uuid), column("person_id", Uuid), column("response_code", Text), column("way", Integer),
)  # fmt: skip
_SHARED = (
    column("way", Integer), column("cell_id", Uuid), column("because", Text), column("channel", Text),
    column("cost_minor", BigInteger), column("worth", Integer), column("route", Text), column("is_reserve", Boolean),
    column("state", Text), column("reason", Text),
)  # fmt: skip
"""What many pieces of a part have in common travels once for all of them, not with each."""
_TARGETS = [
    "id", "launch_id", "campaign_id", "cell_id", "person_id", "merged_id", "response_code", "because", "channel",
    "cost_minor", "worth", "route", "is_reserve", "state", "reason", "released_at", "settled_at",
]  # fmt: skip
_NAMED = func.coalesce(col(Piece.merged_id), col(Piece.person_id))
"""The id in the audience. Both of two records of one person get a piece; the second is not mailed."""


async def _insert(
    tx: Tx, launch: Launch, pieces: Sequence[NewPiece], state: PieceState
) -> set[UUID]:
    rows, ways = _rows(pieces, state)
    new, way = row_set("new", _COLUMNS, rows), row_set("way", _SHARED, ways)
    stood = placed(person_alias, new)
    moment = literal(tx.clock.now(), DateTime(timezone=True))
    source = (
        select(
            new.c.id,
            literal(launch.id, Uuid),
            literal(launch.campaign_id, Uuid),
            way.c.cell_id,
            stood.stands,
            stood.came,
            new.c.response_code,
            cast(way.c.because, JSONB),
            way.c.channel,
            way.c.cost_minor,
            way.c.worth,
            cast(way.c.route, JSONB),
            way.c.is_reserve,
            way.c.state,
            way.c.reason,
            moment,
            case((way.c.state == PieceState.LEFT_OUT.value, moment)),
        )
        .select_from(stood.source.join(way, way.c.way == new.c.way))
        .order_by(new.c.person_id)
    )
    stored = await tx.scalars(
        insert(Piece).from_select(_TARGETS, source).on_conflict_do_nothing().returning(_NAMED)
    )
    return set(stored)


def _rows(
    pieces: Sequence[NewPiece], state: PieceState
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return the pieces as rows, and beside them what many have in common: where they stand, and why they are chosen."""
    ways: dict[tuple[int, tuple[str, ...]], tuple[object, ...]] = {}
    rows: list[tuple[object, ...]] = []
    for piece in pieces:
        key = (id(piece.placed), tuple(piece.because))
        way = ways.get(key)
        if way is None:
            way = ways[key] = (len(ways), *_way(piece, state))
        rows.append((piece.id, piece.person_id, piece.response_code, way[0]))
    return rows, list(ways.values())


def _way(piece: NewPiece, state: PieceState) -> tuple[object, ...]:
    one = piece.placed
    its_state = state
    if one.reason:
        its_state = PieceState.LEFT_OUT
    elif one.is_reserve:
        its_state = PieceState.WAITING
    return (
        one.cell_id, orjson.dumps(list(piece.because)).decode(), one.way.channel.value, one.way.cost_minor, one.worth,
        orjson.dumps(dict(one.told)).decode(), one.is_reserve, its_state.value, one.reason,
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
