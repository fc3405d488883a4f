"""Set hours of the company's own, and have what waits for an hour asked again."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Channel
from kantis_kit.tx import Tx
from messaging_svc.hours.errors import HoursNotFound
from messaging_svc.hours.model import sending_hours
from messaging_svc.hours.schemas import HoursIn
from messaging_svc.openings.usecases import ask_again

_WAITING = "channel = :channel AND rule IN ('waits_for_hours', 'waits_for_wished_hours')"


async def set_hours(tx: Tx, channel: Channel, country: str, body: HoursIn) -> None:
    """Set between which hours messages of a channel may begin, from a day on."""
    minutes = [
        (None, None)
        if day is None
        else (
            day.opens.hour * 60 + day.opens.minute,
            day.closes.hour * 60 + day.closes.minute if day.closes else 24 * 60,
        )
        for day in body.days
    ]
    now = tx.clock.now()
    values: dict[str, Any] = {
        "opens": [opens for opens, _ in minutes],
        "closes": [closes for _, closes in minutes],
        "rests_on_holidays": body.rests_on_holidays,
        "source": "the company",
        "changed_at": now,
    }
    day = body.valid_from or now.date()
    key = {"channel": channel.value, "country": country, "is_own": True, "valid_from": day}
    await tx.execute(
        insert(sending_hours)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )
    tx.audit("sending_rules.set_hours", channel.value, country=country, valid_from=str(day))
    await ask_again(tx, _WAITING, channel=channel.value)


async def drop_hours(tx: Tx, channel: Channel, country: str) -> None:
    """Go back to the default hours.

    Raises:
        HoursNotFound: the company has set none for this channel and country.
    """
    table = sending_hours
    dropped = await tx.scalars(
        delete(table)
        .where(table.c.channel == channel.value, table.c.country == country, table.c.is_own)
        .returning(table.c.valid_from)
    )
    if not dropped.all():
        raise HoursNotFound(
            f"The company has set no hours for {channel.value} in {country or 'every country'}"
        )
    tx.audit("sending_rules.drop_hours", channel.value, country=country)
    await ask_again(tx, _WAITING, channel=channel.value)
