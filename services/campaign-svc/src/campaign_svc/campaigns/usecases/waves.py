"""Release pieces in waves: as many as the senders keep up with, to whom it is worth most where not all get one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Integer, Text, case, cast, func, literal, select, update
from sqlmodel import col

from campaign_svc.campaigns import events, queries
from campaign_svc.campaigns.model import Campaign, Cell, Launch, NewPiece, Piece
from campaign_svc.campaigns.routing import BUDGET, CAPACITY, STOPPED, CellPlan, Placed
from campaign_svc.campaigns.schemas import CampaignState, PieceState, WhenShort
from campaign_svc.settings import CampaignSettings
from kantis_contracts.campaign import OfferCard, ProductBlock
from kantis_kit.tx import ReadTx, Tx


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """What the pieces of a launch are made of."""

    rows: dict[UUID, Cell]
    cells: Sequence[CellPlan]
    cards: dict[UUID, OfferCard | None]
    products: tuple[ProductBlock, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """New pieces that stand in the same place for the same clauses."""

    placed: Placed
    because: Sequence[str]
    pieces: list[NewPiece]


async def plan_of(tx: ReadTx, campaign: Campaign) -> LaunchPlan:
    """Return a campaign's cells with what they offer; blocks of products show all its offers, where there are several."""
    rows = list(await queries.cells_of(tx, campaign.id))
    offers = list(await queries.offers_of(tx, campaign.id))
    prices = await queries.prices_of(tx, offers)
    cards = {offer.id: events.offer_card(offer, prices[offer.id]) for offer in offers}
    chosen = {cell.id: queries.choose_offer(cell, offers) for cell in rows}
    return LaunchPlan(
        rows={cell.id: cell for cell in rows},
        cells=[cell.plan(campaign, chosen[cell.id]) for cell in rows],
        cards={cell_id: cards[offer.id] if offer else None for cell_id, offer in chosen.items()},
        products=tuple(map(events.product_block, cards.values())) if len(cards) > 1 else (),
    )


def room(tx: ReadTx, launch: Launch) -> int:
    """Return how many more pieces may be on their way: those that are released and have not come to their end count."""
    on_their_way = launch.released - (launch.settled - launch.left_out)
    return tx.settings(CampaignSettings).wave_in_flight - on_their_way


def stage_releases(
    tx: Tx,
    campaign: Campaign,
    launch: Launch,
    plan: LaunchPlan,
    groups: Iterable[Group],
    *,
    segment_name: str,
) -> None:
    """Tell of pieces that may be sent, by cell and channel."""
    by_way: defaultdict[tuple[UUID, str], list[Group]] = defaultdict(list)
    for group in groups:
        by_way[group.placed.cell_id, group.placed.way.channel.value].append(group)
    for cell in plan.cells:
        for way in cell.ways:
            mine = by_way.get((cell.cell_id, way.channel.value))
            if mine:
                tx.stage(
                    events.pieces_released(
                        campaign,
                        launch,
                        plan.rows[cell.cell_id],
                        way,
                        segment_name=segment_name,
                        offer=plan.cards[cell.cell_id],
                        products=plan.products,
                        pieces=[(group.because, group.pieces) for group in mine],
                    )
                )


async def lock_launch(tx: Tx, launch_id: UUID) -> Launch | None:
    """Return the launch as it is now, locked until the commit."""
    rows = await tx.scalars(
        select(Launch)
        .where(col(Launch.id) == launch_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.first()


async def release_wave(tx: Tx, launch_id: UUID) -> None:
    """Release what waits, as far as there is room; where it is rationed, once everybody has come.

    A wave is at least half of the room, so that no outcome of a single piece makes one.
    """
    launch = await lock_launch(tx, launch_id)
    if launch is None or launch.hold or not _waiting(launch):
        return
    campaign = await queries.get_campaign(tx, launch.campaign_id)
    if campaign.when_short == WhenShort.BY_VALUE and not launch.is_rationed:
        if launch.total is None or launch.arrived < launch.total:
            return
        await _ration(tx, campaign, launch)
    whole = tx.settings(CampaignSettings).wave_in_flight
    free = room(tx, launch)
    if free < min(_waiting(launch), whole // 2):
        return
    plan = await plan_of(tx, campaign)
    groups = await _take(tx, launch, plan, free)
    if groups:
        stage_releases(tx, campaign, launch, plan, groups, segment_name=launch.segment_name)
        await advance(tx, launch.id, released=sum(len(group.pieces) for group in groups))


def _waiting(launch: Launch) -> int:
    return launch.arrived - launch.left_out - launch.released


async def _ration(tx: Tx, campaign: Campaign, launch: Launch) -> None:
    """Give budget and capacity to the most active and valuable; the rest is left out, and says why."""
    order = (col(Piece.worth).desc(), col(Piece.id))
    ranked = (
        select(
            col(Piece.id),
            func.row_number().over(order_by=order).label("place"),
            func.sum(col(Piece.cost_minor)).over(order_by=order, rows=(None, 0)).label("spent"),
        )
        .where(col(Piece.launch_id) == launch.id, col(Piece.state) == PieceState.WAITING.value)
        .subquery("ranked")
    )
    no_room = ranked.c.place > func.coalesce(literal(campaign.capacity, Integer()), 2**31 - 1)
    no_money = ranked.c.spent > func.coalesce(
        literal(campaign.budget_minor, BigInteger()), literal(2**62, BigInteger())
    )
    result = await tx.execute(
        update(Piece)
        .where(col(Piece.id) == ranked.c.id, no_room | no_money)
        .values(
            state=PieceState.LEFT_OUT.value,
            reason=case((no_room, CAPACITY), else_=literal(BUDGET, Text())),
            settled_at=tx.clock.now(),
        )
        .returning(col(Piece.launch_id))
        .execution_options(synchronize_session=False)
    )
    left_out = len(result.all())
    launch.is_rationed = True
    await tx.flush()  # the counters are moved by a statement of their own
    await advance(tx, launch.id, left_out=left_out, settled=left_out)
    await lock_launch(tx, launch.id)


async def _take(tx: Tx, launch: Launch, plan: LaunchPlan, free: int) -> list[Group]:
    """Mark the next pieces as released, those of the most active and valuable first."""
    following = (
        select(col(Piece.id))
        .where(
            col(Piece.launch_id) == launch.id,
            col(Piece.state) == PieceState.WAITING.value,
            ~col(Piece.is_reserve),
        )
        .order_by(col(Piece.worth).desc(), col(Piece.id))
        .limit(free)
    )
    rows = await tx.execute(
        update(Piece)
        .where(col(Piece.id).in_(following))
        .values(state=PieceState.RELEASED.value, released_at=tx.clock.now())
        .returning(
            col(Piece.cell_id),
            col(Piece.channel),
            cast(col(Piece.because), Text()),
            cast(col(Piece.id), Text()),
            cast(func.coalesce(col(Piece.merged_id), col(Piece.person_id)), Text()),
            col(Piece.response_code),
        )
        .execution_options(synchronize_session=False)
    )
    cells = {cell.cell_id: cell for cell in plan.cells}
    groups: dict[tuple[UUID, str, str], list[NewPiece]] = {}
    found: Iterable[tuple[Any, ...]] = map(tuple, rows)
    for cell_id, channel, because, piece_id, person_id, code in found:
        mine = groups.setdefault((cell_id, channel, because), [])
        mine.append(NewPiece(piece_id, person_id, code))
    return [
        Group(Placed(cell_id, cells[cell_id].way(channel)), orjson.loads(because), pieces)
        for (cell_id, channel, because), pieces in groups.items()
    ]


async def end_waiting(tx: Tx, launch_id: UUID) -> None:
    """Leave out whatever still waits of a launch that was stopped."""
    result = await tx.execute(
        update(Piece)
        .where(col(Piece.launch_id) == launch_id, col(Piece.state) == PieceState.WAITING.value)
        .values(state=PieceState.LEFT_OUT.value, reason=STOPPED, settled_at=tx.clock.now())
        .returning(col(Piece.launch_id))
        .execution_options(synchronize_session=False)
    )
    left_out = len(result.all())
    if left_out:
        await advance(tx, launch_id, left_out=left_out, settled=left_out)


async def advance(
    tx: Tx,
    launch_id: UUID,
    *,
    arrived: int = 0,
    released: int = 0,
    left_out: int = 0,
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
            released=col(Launch.released) + released,
            left_out=col(Launch.left_out) + left_out,
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
