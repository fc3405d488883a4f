"""Relays and groups of domains at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.relays import queries, usecases
from messaging_svc.relays.schemas import DomainsOut, GroupIn, GroupName, GroupOut, RelayIn, RelayOut

router = Router(prefix="/v1/relays", tags=["relays"])
domains = Router(prefix="/v1/mail-domains", tags=["relays"])
READ, WRITE = needs("messaging:read"), needs("messaging:write", privileged=True)
Lane = Annotated[str, Path(min_length=1, max_length=253, pattern=r"^[a-z0-9.:-]+$")]


@router.get("", policy=READ)
async def list_relays(tx: Read) -> list[RelayOut]:
    """Return every mail server that takes our mails: whether it is there, since when it is not, what it said last."""
    return await queries.list_relays(tx)


@router.post("", policy=WRITE, status_code=201)
async def add_relay(body: RelayIn, tx: Write) -> RelayOut:
    """Have mails go by this server as well; the first one replaces the one of the settings."""
    return await queries.get_relay(tx, await usecases.add_relay(tx, body))


@router.get("/{relay_id}", policy=READ)
async def get_relay(relay_id: UUID, tx: Read) -> RelayOut:
    """Return one relay."""
    return await queries.get_relay(tx, relay_id)


@router.put("/{relay_id}", policy=WRITE)
async def change_relay(relay_id: UUID, body: RelayIn, tx: Write) -> RelayOut:
    """Describe a relay anew; without a password it keeps the one that it has."""
    await usecases.change_relay(tx, relay_id, body)
    return await queries.get_relay(tx, relay_id)


@router.delete("/{relay_id}", policy=WRITE, status_code=204)
async def drop_relay(relay_id: UUID, tx: Write) -> None:
    """Let no more mails go by this server."""
    await usecases.drop_relay(tx, relay_id)


@domains.get("", policy=READ)
async def get_domains(tx: Read) -> DomainsOut:
    """Return the groups of domains with their limits, and the domains that are left alone because they put mails off."""
    return await queries.get_domains(tx)


@domains.put("/{name}", policy=WRITE)
async def set_group(name: GroupName, body: GroupIn, tx: Write) -> GroupOut:
    """Limit how many messages go to domains in a minute and at once; relays can serve a group by its name."""
    await usecases.set_group(tx, name, body)
    return await queries.get_group(tx, name)


@domains.delete("/{name}", policy=WRITE, status_code=204)
async def drop_group(name: GroupName, tx: Write) -> None:
    """Drop a group of domains and its limits."""
    await usecases.drop_group(tx, name)


@domains.post("/{lane}/open", policy=WRITE, status_code=204)
async def open_lane(lane: Lane, tx: Write) -> None:
    """Try a domain, or `group:` and the name of a group, again at once that was left alone."""
    await usecases.open_lane(tx, lane)
