"""Remember who has looked at what a campaign sent, and what people said against it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid, and_, column, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.model import Outcome, Piece
from campaign_svc.memory.model import PersonReason
from campaign_svc.memory.queries import SEEN
from campaign_svc.saying_no import SAYS_NO
from kantis_contracts.contacts import InsightCard
from kantis_contracts.messaging import Engagement
from kantis_kit.db.aliases import resolve
from kantis_kit.db.sets import row_set
from kantis_kit.tx import Tx


async def remember_seen(tx: Tx, items: Iterable[Engagement]) -> None:
    """Keep the first time at which people looked at messages of campaigns; machines are not counted."""
    first: dict[tuple[UUID, UUID, UUID], datetime] = {}
    for one in items:
        if one.campaign_id and one.person_id and one.verdict == "human":
            key = (one.campaign_id, one.person_id, one.message_id)
            first[key] = min(one.seen_at, first.get(key, one.seen_at))
    if not first:
        return
    leads = await resolve(tx, person_alias, [person_id for _, person_id, _ in first])
    seen = row_set(
        "seen",
        (
            column("campaign_id", Uuid), column("person_id", Uuid), column("message_id", Uuid),
            column("at", DateTime(timezone=True)),
        ),
        [
            (campaign_id, leads.get(person_id, person_id), message_id, at)
            for (campaign_id, person_id, message_id), at in sorted(first.items())
        ],
    )  # fmt: skip
    of_theirs = and_(
        col(Piece.campaign_id) == seen.c.campaign_id, col(Piece.person_id) == seen.c.person_id
    )
    await tx.execute(
        insert(Outcome)
        .from_select(
            ["piece_id", "kind", "source_id", "at"],
            select(col(Piece.id), literal(SEEN), seen.c.message_id, seen.c.at)
            .join_from(Piece, seen, of_theirs)
            .order_by(col(Piece.id)),
        )
        .on_conflict_do_nothing()
    )


async def keep_reasons(tx: Tx, cards: Iterable[InsightCard]) -> None:
    """Keep why people do not buy; what was taken back once stays so, in whatever order it comes."""
    told: dict[UUID, InsightCard] = {}
    for card in cards:
        held = told.get(card.insight_id)
        if card.kind in SAYS_NO and not (held is not None and held.is_taken_back):
            told[card.insight_id] = card
    if not told:
        return
    leads = await resolve(tx, person_alias, [card.person_id for card in told.values()])
    new = insert(PersonReason).values(
        [
            {
                "insight_id": insight_id,
                "person_id": leads.get(told[insight_id].person_id, told[insight_id].person_id),
                "merged_id": told[insight_id].person_id
                if told[insight_id].person_id in leads
                else None,
                **told[insight_id].model_dump(
                    include={"kind", "term", "words", "said_at", "is_taken_back"}
                ),
            }
            for insight_id in sorted(told)
        ]
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["insight_id"],
            set_={"is_taken_back": True},
            where=new.excluded.is_taken_back,
        )
    )
