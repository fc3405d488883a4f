"""Registers are declared, and their files taken in."""

import asyncio
import hashlib
from datetime import date
from pathlib import Path
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.imports.xlsx import Unreadable
from contacts_svc.people.model import Person
from contacts_svc.people.queries import suppression_key
from contacts_svc.permissions.hashes import doorstep_sql, keyed_hash_sql, seal_sql
from contacts_svc.permissions.kinds import RegisterKind
from contacts_svc.permissions.model import Doorstep, Register, RegisterHit, Wash
from contacts_svc.washing import queries
from contacts_svc.washing.errors import WashInvalid, WashOutdated
from contacts_svc.washing.reading import Reader
from contacts_svc.washing.schemas import RegisterIn, WashOut
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

DOORSTEPS_TIMER = "washing.doorsteps"
DOORSTEPS = 1_000
"""People whose hashes are worked out in one transaction: some tens of milliseconds."""
TOLERATED = 10
"""At most one row in so many may name nobody: more than that is a wrong mapping."""


async def set_register(tx: Tx, key: str, body: RegisterIn) -> None:
    """Declare a register, or change how its file is read."""
    table = table_of(Register)
    new = insert(table).values(
        id=new_id(),
        key=key,
        name=body.name,
        country=body.country,
        channels=sorted({channel.value for channel in body.channels}),
        matches=body.matches.value,
        interval_days=body.interval_days,
        mapping=dict(body.mapping),
        version=1,
        created_at=tx.clock.now(),
    )
    kept = ("name", "country", "channels", "matches", "interval_days", "mapping")
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["key"],
            set_={"version": table.c.version + 1, **{name: new.excluded[name] for name in kept}},
        )
    )
    tx.audit("register.declared", key, interval_days=body.interval_days, country=body.country)


async def wash(tx: Tx, key: str, path: Path, *, as_of: date) -> WashOut:
    """Take in a register's file in place of the one before; all of it or, where it cannot be used, nothing.

    Raises:
        RegisterUnknown: no such register.
        WashInvalid: the file cannot be read, lacks a column of the mapping, or names hardly anybody.
        WashOutdated: a file of a later day was taken in already.
    """
    if as_of > tx.clock.now().date():
        raise WashInvalid("as_of: this day has not come yet")
    register = await queries.lock_register(tx, key)
    last = (await queries.newest_washes(tx)).get(register.id)
    if last is not None and as_of < last.as_of:
        raise WashOutdated(f"The newest is of {last.as_of}; this one is of {as_of}")
    reader = Reader(path, suppression_key(tx), register.matches, register.country, register.mapping)
    await _open(reader)
    row = Wash(
        id=new_id(),
        register_id=register.id,
        as_of=as_of,
        file_sha256=await asyncio.to_thread(_sha256, path),
        rows=0,
        named=0,
        refused=0,
        actor=tx.actor,
        at=tx.clock.now(),
    )
    await tx.execute(
        delete(table_of(RegisterHit)).where(col(RegisterHit.register_id) == register.id)
    )
    while (hashes := await asyncio.to_thread(reader.next_hashes)) is not None:
        await _keep(tx, register.id, row.id, hashes)
    _judge(reader)
    row.rows, row.refused = reader.rows, reader.refused
    row.named = int(
        await tx.scalar(select(func.count()).where(col(RegisterHit.register_id) == register.id))
    )
    tx.add(row)
    if register.matches == RegisterKind.ADDRESS:
        await tx.schedule(DOORSTEPS_TIMER, "all", tx.clock.now())
    tx.audit("register.washed", key, as_of=str(as_of), sha256=row.file_sha256, rows=row.rows)
    return WashOut.model_validate(row)


async def keep_doorsteps(tx: Tx, after: UUID | None) -> UUID | None:
    """Work out by which hashes registers name the next people at their addresses; return after whom to go on.

    What a change makes wrong is worked out when it is asked for until it is kept again. Who is being changed just now is
    left out.
    """
    register, door, person = table_of(Register), table_of(Doorstep), table_of(Person)
    countries = set(
        await tx.scalars(
            select(register.c.country).where(register.c.matches == RegisterKind.ADDRESS)
        )
    )
    if not countries:
        return None
    some = select(person.c.id).order_by(person.c.id).limit(DOORSTEPS)
    if after is not None:
        some = some.where(person.c.id > after)
    ids = list(await tx.scalars(some))
    if not ids:
        return None
    key = suppression_key(tx)
    parts = (person.c.full_name, person.c.street, person.c.postal_code)
    seal = seal_sql(key, *parts)
    found = (
        select(person.c.id, seal, keyed_hash_sql(key, doorstep_sql(*parts)))
        .select_from(person.outerjoin(door, door.c.person_id == person.c.id))
        .where(
            person.c.id.between(ids[0], ids[-1]),
            ~person.c.is_erased,
            person.c.country.in_(sorted(countries)),
            *(part != "" for part in parts),
            door.c.seal.is_distinct_from(seal),
        )
        .with_for_update(of=person, read=True, key_share=True, skip_locked=True)
    )
    put = insert(door).from_select(["person_id", "seal", "hash"], found)
    await tx.execute(
        put.on_conflict_do_update(
            index_elements=["person_id"],
            set_={name: put.excluded[name] for name in ("seal", "hash")},
        )
    )
    return ids[-1] if len(ids) == DOORSTEPS else None


async def _open(reader: Reader) -> None:
    try:
        await asyncio.to_thread(reader.open)
    except Unreadable as error:
        raise WashInvalid(f"The file cannot be read: {error}") from error
    if reader.missing:
        raise WashInvalid(
            f"The file has no column {', '.join(reader.missing)}; it has {', '.join(reader.header)[:500]}."
            " Change the register's mapping"
        )


def _judge(reader: Reader) -> None:
    if reader.refused * TOLERATED > reader.rows:
        raise WashInvalid(
            f"{reader.refused} of {reader.rows} rows name nobody; look at the mapping and the country"
        )


async def _keep(tx: Tx, register_id: UUID, wash_id: UUID, hashes: list[bytes]) -> None:
    rows = column_set("named", {"hash": (LargeBinary(), hashes)})
    await tx.execute(
        insert(table_of(RegisterHit))
        .from_select(
            ["register_id", "hash", "wash_id"],
            select(literal(register_id, Uuid()), rows.c.hash, literal(wash_id, Uuid())),
        )
        .on_conflict_do_nothing()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
