"""Declare relays and groups of domains; senders follow within a second."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from kantis_kit.vault import Vault
from messaging_svc.relays import sql
from messaging_svc.relays.errors import (
    GroupInUse,
    GroupNotFound,
    PasswordMissing,
    RelayExists,
    RelayNotFound,
    UnknownGroup,
)
from messaging_svc.relays.model import domain_group, relay, slow_domain
from messaging_svc.relays.routes import GROUP
from messaging_svc.relays.schemas import GroupIn, RelayIn


async def add_relay(tx: Tx, body: RelayIn) -> UUID:
    """Have mails go by this server as well.

    Raises:
        RelayExists: there is one of this name.
        PasswordMissing: it has a user and no password.
        UnknownGroup: it serves a group that there is not.
    """
    if body.user and (body.password is None or not body.password.get_secret_value()):
        raise PasswordMissing("password: the user needs one")
    values = await _values(tx, body)
    added: UUID | None = await tx.scalar(
        insert(relay)
        .values(id=new_id(), **({"sealed": None} | values))
        .on_conflict_do_nothing()
        .returning(relay.c.id)
    )
    if added is None:
        raise RelayExists(f"Change the relay {body.name}, or choose another name")
    await _changed(tx)
    tx.audit("relays.add", str(added), **_told(body))
    return added


async def change_relay(tx: Tx, relay_id: UUID, body: RelayIn) -> None:
    """Describe a relay anew; what is on its way there ends there.

    Raises:
        RelayNotFound: there is none.
        RelayExists: another one has this name.
        PasswordMissing: it has a user and no password.
        UnknownGroup: it serves a group that there is not.
    """
    held = (await tx.execute(_locked(relay_id))).first()
    if held is None:
        raise RelayNotFound("No relay has this id")
    values = await _values(tx, body)
    if not body.user:
        values["sealed"] = None
    elif "sealed" not in values and held.sealed is None:
        raise PasswordMissing("password: the user needs one")
    taken = select(relay.c.id).where(relay.c.name == body.name, relay.c.id != relay_id)
    if await tx.scalar(taken):
        raise RelayExists(f"Another relay is called {body.name}")
    await tx.execute(update(relay).where(relay.c.id == relay_id).values(**values))
    await _changed(tx)
    tx.audit("relays.change", str(relay_id), **_told(body))


async def drop_relay(tx: Tx, relay_id: UUID) -> None:
    """Let no more mails go by this server; what is on its way there ends there.

    Raises:
        RelayNotFound: there is none.
    """
    dropped = await tx.scalar(delete(relay).where(relay.c.id == relay_id).returning(relay.c.name))
    if dropped is None:
        raise RelayNotFound("No relay has this id")
    await _changed(tx)
    tx.audit("relays.drop", str(relay_id), name=dropped)


async def set_group(tx: Tx, name: str, body: GroupIn) -> None:
    """Describe a group of domains and its limits."""
    values = {**body.model_dump(), "changed_at": tx.clock.now()}
    await tx.execute(
        insert(domain_group)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )
    await _changed(tx)
    tx.audit("domain_groups.set", name, **body.model_dump())


async def drop_group(tx: Tx, name: str) -> None:
    """Drop a group of domains and its limits.

    Raises:
        GroupNotFound: there is none.
        GroupInUse: a relay serves it.
    """
    user = await tx.scalar(
        select(relay.c.name).where(relay.c.domains.contains([f"{GROUP}{name}"])).limit(1)
    )
    if user is not None:
        raise GroupInUse(f"The relay {user} serves it; take it out of its domains first")
    dropped = await tx.scalar(
        delete(domain_group).where(domain_group.c.name == name).returning(domain_group.c.name)
    )
    if dropped is None:
        raise GroupNotFound("No group of domains has this name")
    await _changed(tx)
    tx.audit("domain_groups.drop", name)


async def open_lane(tx: Tx, lane: str) -> None:
    """Try a domain again at once that was left alone; a person knows better."""
    await tx.execute(delete(slow_domain).where(slow_domain.c.lane == lane))
    await _changed(tx)
    tx.audit("slow_domains.open", lane)


def _locked(relay_id: UUID) -> Select[Any]:
    return select(relay).where(relay.c.id == relay_id).with_for_update()


async def _values(tx: Tx, body: RelayIn) -> dict[str, Any]:
    await _check_groups(
        tx, {one.removeprefix(GROUP) for one in body.domains if one.startswith(GROUP)}
    )
    values = body.model_dump(exclude={"user", "password"})
    values |= {"user_name": body.user, "changed_at": tx.clock.now()}
    if body.password is not None and body.password.get_secret_value():
        values["sealed"] = tx.use(Vault).seal(body.password.get_secret_value())
    return values


async def _check_groups(tx: Tx, names: Collection[str]) -> None:
    if not names:
        return
    known = set(
        await tx.scalars(select(domain_group.c.name).where(domain_group.c.name.in_(sorted(names))))
    )
    if missing := sorted(set(names) - known):
        raise UnknownGroup(f"domains: there is no group {missing[0]}; make it first")


async def _changed(tx: Tx) -> None:
    """Have senders look; each asks again for what waits for a domain or a relay once it knows the new routes."""
    await tx.execute(sql.CHANGED)


def _told(body: RelayIn) -> dict[str, Any]:
    """Return what the audit keeps: whether there is a new password, not which."""
    has_new = body.password is not None
    return {**body.model_dump(mode="json", exclude={"password"}), "has_new_password": has_new}
