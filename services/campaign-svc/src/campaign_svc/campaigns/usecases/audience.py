"""Turn the parts of a frozen audience into pieces, each person once."""

from collections.abc import Callable, Sequence
from uuid import UUID

import orjson
from sqlalchemy import (
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
from campaign_svc.campaigns import codes, events, queries
from campaign_svc.campaigns.model import Campaign, Cell, Launch, NewPiece, Piece, cell_of
from campaign_svc.campaigns.schemas import CampaignState, PieceState
from campaign_svc.campaigns.usecases.preflight import cards_of
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
    """Store and release the members that are new; the parts come in any order and more than once.

    Raises:
        LaunchMissing: there is no such launch.
    """
    launch = await tx.get(Launch, part.launch_id)
    if launch is None:
        raise LaunchMissing(f"no launch {part.launch_id}")
    campaign = await queries.get_campaign(tx, launch.campaign_id)
    cells = list(await queries.cells_of(tx, campaign.id))
    pieces = await _store(tx, launch, cells, part.items, draw)
    await _release(tx, campaign, launch, segment_name=part.segment_name, cells=cells, pieces=pieces)
    await advance(
        tx,
        launch.id,
        arrived=len(pieces),
        total=part.total,
        segment_name=part.segment_name,
    )


async def _store(
    tx: Tx,
    launch: Launch,
    cells: Sequence[Cell],
    members: Sequence[AudienceMember],
    draw: Callable[[], str],
) -> list[NewPiece]:
    """Insert a piece for every member that has none; return the new ones."""
    shares = [(cell.id, cell.share_pct) for cell in cells]
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
                cell_id=cell_of(launch.id, person_id, shares),
                person_id=person_id,
                response_code=draw(),
                because=member.because,
            )
            for person_id, member in left.items()
        }
        for person_id in sorted(await _insert(tx, launch, list(fresh.values()))):
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
    column("id", Uuid), column("cell_id", Uuid), column("person_id", Uuid),
    column("response_code", Text), column("because", Text),
)  # fmt: skip
_TARGETS = [
    "id", "launch_id", "campaign_id", "cell_id", "person_id", "merged_id", "response_code", "because", "state",
    "reason", "released_at",
]  # fmt: skip
_NAMED = func.coalesce(col(Piece.merged_id), col(Piece.person_id))
"""The id in the audience. Both of two records of one person get a piece; the second is not mailed."""


async def _insert(tx: Tx, launch: Launch, pieces: Sequence[NewPiece]) -> set[UUID]:
    new = row_set(
        "new",
        _COLUMNS,
        [
            (p.id, p.cell_id, p.person_id, p.response_code, orjson.dumps(p.because).decode())
            for p in pieces
        ],
    )
    stood = placed(person_alias, new)
    source = select(
        new.c.id,
        literal(launch.id, Uuid),
        literal(launch.campaign_id, Uuid),
        new.c.cell_id,
        stood.stands,
        stood.came,
        new.c.response_code,
        cast(new.c.because, JSONB),
        literal(PieceState.RELEASED.value, Text),
        literal("", Text),
        literal(tx.clock.now(), DateTime(timezone=True)),
    ).select_from(stood.source)
    stored = await tx.scalars(
        insert(Piece).from_select(_TARGETS, source).on_conflict_do_nothing().returning(_NAMED)
    )
    return set(stored)


async def _release(
    tx: Tx,
    campaign: Campaign,
    launch: Launch,
    *,
    segment_name: str,
    cells: Sequence[Cell],
    pieces: Sequence[NewPiece],
) -> None:
    cards = await cards_of(tx, campaign.id, list(cells))
    for cell in cells:
        mine = [piece for piece in pieces if piece.cell_id == cell.id]
        if mine:
            tx.stage(
                events.pieces_released(
                    campaign,
                    launch,
                    cell,
                    segment_name=segment_name,
                    offer=cards[cell.id],
                    pieces=mine,
                )
            )


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


async def advance(
    tx: Tx,
    launch_id: UUID,
    *,
    arrived: int = 0,
    settled: int = 0,
    total: int | None = None,
    segment_name: str = "",
) -> None:
    """Move a launch's counters, and its state when they say so; the campaign follows.

    One statement reads and writes the row, so that parts and outcomes taken at the same time all count.
    """
    all_arrived = col(Launch.arrived) + arrived
    all_settled = col(Launch.settled) + settled
    whole = func.coalesce(literal(total, Integer), col(Launch.total))
    result = await tx.execute(
        update(Launch)
        .where(col(Launch.id) == launch_id)
        .values(
            arrived=all_arrived,
            settled=all_settled,
            total=whole,
            segment_name=func.coalesce(
                func.nullif(literal(segment_name, Text), ""), col(Launch.segment_name)
            ),
            state=case(
                (all_arrived < whole, col(Launch.state)),
                (all_settled >= whole, CampaignState.FINISHED.value),
                (whole >= 0, CampaignState.RUNNING.value),
                else_=col(Launch.state),
            ),
        )
        .returning(col(Launch.campaign_id), col(Launch.state))
        .execution_options(synchronize_session=False)
    )
    row = result.first()
    if row is not None:
        await tx.execute(
            update(Campaign)
            .where(col(Campaign.id) == row.campaign_id, col(Campaign.state) != row.state)
            .values(state=row.state, updated_at=tx.clock.now())
            .execution_options(synchronize_session=False)
        )
