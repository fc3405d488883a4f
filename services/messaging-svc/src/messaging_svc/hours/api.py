"""Hours: look at them, set some of the company's own, go back to the defaults."""

from typing import Annotated

from fastapi import Query

from kantis_contracts.values import Channel
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.hours import queries, usecases
from messaging_svc.hours.schemas import HoursIn, HoursOut

router = Router(prefix="/v1/sending-rules/hours", tags=["sending rules"])

Country = Annotated[
    str,
    Query(pattern="^([A-Z]{2})?$", description="Empty: every country that has no row of its own"),
]


@router.get("", policy=needs("messaging:read"))
async def list_hours(tx: Read) -> list[HoursOut]:
    """Return the hours of every channel and country: the company's own, which hold, and the defaults."""
    return list(await queries.list_hours(tx))


@router.put("/{channel}", policy=needs("messaging:write", privileged=True))
async def set_hours(
    channel: Channel, body: HoursIn, tx: Write, country: Country = ""
) -> list[HoursOut]:
    """Set between which hours messages that advertise may begin, in the recipient's own time."""
    await usecases.set_hours(tx, channel, country, body)
    return list(await queries.list_hours(tx, channel))


@router.delete("/{channel}", policy=needs("messaging:write", privileged=True), status_code=204)
async def drop_hours(channel: Channel, tx: Write, country: Country = "") -> None:
    """Go back to the default hours."""
    await usecases.drop_hours(tx, channel, country)
