"""Set, change and drop caps, and have what waits for them asked again."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.caps import sql
from messaging_svc.caps.errors import CapExists, CapNotFound
from messaging_svc.caps.model import frequency_cap, spend_cap
from messaging_svc.caps.schemas import FrequencyCapIn, SpendCapIn, SpendCapPatch
from messaging_svc.openings.usecases import ask_again
from messaging_svc.settings import MessagingSettings


async def add_frequency_cap(tx: Tx, body: FrequencyCapIn) -> UUID:
    """Let no person get more than so many messages that advertise; what they have got already counts.

    Raises:
        CapExists: there is one for this channel and time.
    """
    values = {
        "id": new_id(),
        "channel": body.channel.value if body.channel else "",
        "max_messages": body.max_messages,
        "window_seconds": body.window_hours * 3_600,
        "changed_at": tx.clock.now(),
    }
    added: UUID | None = await tx.scalar(
        insert(frequency_cap)
        .values(**values)
        .on_conflict_do_nothing()
        .returning(frequency_cap.c.id)
    )
    if added is None:
        raise CapExists("A cap for this channel and this time is there; drop it first")
    tx.audit("sending_rules.add_frequency_cap", str(added), **body.model_dump(mode="json"))
    return added


async def drop_frequency_cap(tx: Tx, cap_id: UUID) -> None:
    """Drop a cap; what it has suppressed stays suppressed.

    Raises:
        CapNotFound: there is none.
    """
    table = frequency_cap
    dropped = await tx.scalar(delete(table).where(table.c.id == cap_id).returning(table.c.id))
    if dropped is None:
        raise CapNotFound("No frequency cap has this id")
    tx.audit("sending_rules.drop_frequency_cap", str(cap_id))


async def add_spend_cap(tx: Tx, body: SpendCapIn) -> UUID:
    """Let no more than so much be spent; what was spent in this period already counts.

    Raises:
        CapExists: there is one for this channel, period, campaign and currency.
    """
    now = tx.clock.now()
    values = {**body.model_dump(), "channel": body.channel.value, "id": new_id(), "changed_at": now}
    added: UUID | None = await tx.scalar(
        insert(spend_cap).values(**values).on_conflict_do_nothing().returning(spend_cap.c.id)
    )
    if added is None:
        raise CapExists("Such a spend cap is there; change its limit")
    zone = ZoneInfo(tx.settings(MessagingSettings).company_time_zone)
    today = now.astimezone(zone).date()
    await tx.execute(
        sql.SPENT_SO_FAR,
        {
            "cap_id": added,
            "today": today,
            "day_start": datetime.combine(today, time(), zone),
            "month_start": datetime.combine(today.replace(day=1), time(), zone),
        },
    )
    tx.audit("sending_rules.add_spend_cap", str(added), **body.model_dump(mode="json"))
    return added


async def change_spend_cap(tx: Tx, cap_id: UUID, body: SpendCapPatch) -> None:
    """Set another limit, and ask again for what waits for it.

    Raises:
        CapNotFound: there is none.
    """
    now = tx.clock.now()
    channel = await tx.scalar(
        update(spend_cap)
        .where(spend_cap.c.id == cap_id)
        .values(limit_minor=body.limit_minor, reached_at=None, changed_at=now)
        .returning(spend_cap.c.channel)
    )
    await _ask_again(tx, channel)
    tx.audit("sending_rules.change_spend_cap", str(cap_id), **body.model_dump())


async def drop_spend_cap(tx: Tx, cap_id: UUID) -> None:
    """Drop a spend cap, and ask again for what waits for it.

    Raises:
        CapNotFound: there is none.
    """
    channel = await tx.scalar(
        delete(spend_cap).where(spend_cap.c.id == cap_id).returning(spend_cap.c.channel)
    )
    await _ask_again(tx, channel)
    tx.audit("sending_rules.drop_spend_cap", str(cap_id))


async def _ask_again(tx: Tx, channel: str | None) -> None:
    if channel is None:
        raise CapNotFound("No spend cap has this id")
    await ask_again(tx, "channel = :channel AND rule = 'waits_for_budget'", channel=channel)
