"""Keep what contacts tells of people: their roles, their needs and objections. Any order, any number of times."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Integer, Text, or_
from sqlalchemy.dialects.postgresql import JSONB, insert

from kantis_contracts.contacts import InsightCard, LinkCard
from kantis_kit.tx import Tx
from messaging_svc.base import Moment, Uid
from messaging_svc.phone.model import insight_card, link_card
from messaging_svc.sets import recordset


async def keep_links(tx: Tx, cards: Sequence[LinkCard]) -> None:
    """Store roles that are newer than those held; one that is removed stays so."""
    newest: dict[UUID, LinkCard] = {}
    for card in cards:
        held = newest.get(card.link_id)
        if held is None or card.version > held.version:
            newest[card.link_id] = card
    new = recordset(
        "new",
        [newest[id_].model_dump(mode="json") for id_ in sorted(newest)],
        link_id=Uid,
        version=BigInteger(),
        person_id=Uid,
        organisation_id=Uid,
        organisation_name=Text(),
        role=Text(),
        relevance=Integer(),
        is_main=Boolean(),
        do_not_contact=Boolean(),
        not_before=Date(),
        valid_from=Date(),
        valid_to=Date(),
        is_removed=Boolean(),
    )
    names = list(link_card.columns.keys())
    statement = insert(link_card).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["link_id"],
            set_={name: statement.excluded[name] for name in names if name != "link_id"},
            where=(link_card.c.version < statement.excluded.version) & ~link_card.c.is_removed,
        )
    )


async def keep_insights(tx: Tx, cards: Sequence[InsightCard]) -> None:
    """Store what was learned; what was taken back before it was heard of stays taken back."""
    last: dict[UUID, InsightCard] = {}
    for card in cards:
        if card.insight_id not in last or card.is_taken_back:
            last[card.insight_id] = card
    new = recordset(
        "new",
        [last[id_].model_dump(mode="json") for id_ in sorted(last)],
        insight_id=Uid,
        person_id=Uid,
        term=Text(),
        kind=Text(),
        words=JSONB(),
        strength=Integer(),
        source=Text(),
        said_at=Moment,
        until=Moment,
        is_taken_back=Boolean(),
    )
    names = list(insight_card.columns.keys())
    statement = insert(insight_card).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    gone = or_(insight_card.c.is_taken_back, statement.excluded.is_taken_back)
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["insight_id"], set_={"is_taken_back": gone})
    )
