"""How long analytics knows whose facts are; the reason stands in contacts-svc, where the period is decided."""

from datetime import timedelta

from sqlalchemy import null, select, tuple_, update

from analytics_svc.base import Base
from analytics_svc.facts.model import CampaignCard, FactRow
from kantis_kit.forgetting import keep_periods
from kantis_kit.retention import BATCH
from kantis_kit.tx import Tx

KIND, DAYS = "analytics.fact", 1_095
_fact, _card = (Base.metadata.tables[str(one.__tablename__)] for one in (FactRow, CampaignCard))


async def unlink_old(tx: Tx, *, limit: int = BATCH) -> None:
    """Take the person out of facts of campaigns that were launched long ago; the figures stay."""
    days = (await keep_periods(tx)).get(KIND, DAYS)
    old = select(_card.c.campaign_id).where(
        _card.c.launched_at < tx.clock.now() - timedelta(days=days)
    )
    chosen = (
        select(_fact.c.kind, _fact.c.key)
        .where(_fact.c.campaign_id.in_(old), _fact.c.person_id.is_not(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    await tx.execute(
        update(_fact)
        .where(tuple_(_fact.c.kind, _fact.c.key).in_(chosen))
        .values(person_id=null(), merged_id=null())
    )
