"""A service as small as a service can be, to test the chassis with: things are made, and their making has effects.

What a handler does depends on the thing's name: `poison…` raises, `refuse…` is refused item by item, `die…` kills the
process, everything else counts an effect.
"""

import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import text

from kantis_contracts.base import Event, Item, Items
from kantis_kit.auth.policy import needs, public
from kantis_kit.consumer import Meta, consumes
from kantis_kit.errors import Conflict, KantisError, NotFound
from kantis_kit.ids import new_id
from kantis_kit.service import ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.tx import Tx
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page, decode_cursor, encode_cursor
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import In, Out


class Made(Item):
    """A thing that was made."""

    id: UUID
    name: str


class ThingMadeV1(Event, type="probe.thing.created.v1"):
    """Things were made."""

    items: tuple[Made, ...] = Items


class HandlerBroke(KantisError):
    """What a handler raises when it is told to."""


@consumes(ThingMadeV1, queue="probe.effects", sink=True)
async def on_thing_made(tx: Tx, event: ThingMadeV1, _meta: Meta) -> None:
    """Count one effect per thing."""
    for item in event.items:
        if item.name.startswith("poison"):
            raise HandlerBroke(item.name)
        if item.name.startswith("die"):
            os._exit(9)
    await tx.execute(
        text(
            "INSERT INTO effect (id, name) SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:names AS text[]))"
            " ON CONFLICT (id) DO UPDATE SET times = effect.times + 1"
        ),
        {"ids": [item.id for item in event.items], "names": [item.name for item in event.items]},
    )


class ThingIn(In):
    """A thing to make."""

    name: str


class ThingOut(Out):
    """A thing."""

    id: UUID
    name: str
    version: int = 1


class Taken(Conflict):
    """A thing of this name cannot be made."""

    slug, title = "name-taken", "This name cannot be used"


router = Router(prefix="/v1/things", tags=["things"])


@router.post("", policy=needs("things:write"), status_code=201)
async def make_thing(body: ThingIn, tx: Write, response: Response) -> ThingOut:
    """Make a thing; the name `taken` is refused after it was written, `unmakeable` fails at the commit."""
    thing_id = new_id()
    await tx.execute(
        text("INSERT INTO thing (id, name) VALUES (:id, :name)"),
        {"id": thing_id, "name": body.name},
    )
    if body.name == "taken":
        raise Taken("Choose another name")
    tx.stage(ThingMadeV1(items=(Made(id=thing_id, name=body.name),)))
    response.headers["Location"] = f"/v1/things/{thing_id}"
    return ThingOut(id=thing_id, name=body.name)


@router.get("/{thing_id}", policy=needs("things:read"))
async def get_thing(thing_id: UUID, tx: Read, response: Response) -> ThingOut:
    """Return a thing."""
    row = (await tx.execute(text("SELECT * FROM thing WHERE id = :id"), {"id": thing_id})).first()
    if row is None:
        raise NotFound("There is no such thing")
    response.headers["ETag"] = etag(row.version)
    return ThingOut.model_validate(row)


@router.patch("/{thing_id}", policy=needs("things:write", privileged=True))
async def rename_thing(thing_id: UUID, body: ThingIn, request: Request, tx: Write) -> ThingOut:
    """Rename a thing that has not changed since it was read."""
    row = (
        await tx.execute(text("SELECT * FROM thing WHERE id = :id FOR UPDATE"), {"id": thing_id})
    ).first()
    if row is None:
        raise NotFound("There is no such thing")
    require_match(request, row.version)
    changed = await tx.execute(
        text("UPDATE thing SET name = :name, version = version + 1 WHERE id = :id RETURNING *"),
        {"id": thing_id, "name": body.name},
    )
    return ThingOut.model_validate(changed.one())


@router.get("", policy=needs("things:read"))
async def list_things(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[ThingOut]:
    """Return things in the order of their making."""
    after = decode_cursor(cursor, 1)
    rows = (
        await tx.execute(
            text(
                "SELECT * FROM thing WHERE cast(:after AS uuid) IS NULL OR id > cast(:after AS uuid)"
                " ORDER BY id LIMIT :limit"
            ),
            {"after": after[0] if after else None, "limit": limit},
        )
    ).all()
    more = encode_cursor(rows[-1].id) if len(rows) == limit else None
    return Page(items=[ThingOut.model_validate(row) for row in rows], next_cursor=more)


page = Router(prefix="/probe")


@page.get("/{word}", policy=public("a page for tests"))
async def show_word(word: str) -> dict[str, str]:
    """Return the word."""
    return {"word": word}


SPEC = ServiceSpec(
    name="probe",
    title="Probe",
    settings=ServiceSettings,
    migrations=Path(__file__).parent / "probe_migrations",
    routers=[router],
    public={"/probe": [page]},
    handlers=[on_thing_made],
)
