"""The keys API: for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from gateway.keys import queries, usecases
from gateway.keys.roles import SCOPES
from gateway.keys.schemas import KeyIn, KeyMade, KeyOut, RoleOut
from kantis_kit.auth.policy import needs
from kantis_kit.web import Caller, Page, Read, Router, Write, id_after
from kantis_kit.web.paging import page_by_id
from kantis_kit.web.state import state_of

router = Router(prefix="/v1/keys", tags=["keys"])


@router.get("/roles", policy=needs("keys:read"))
async def list_roles() -> list[RoleOut]:
    """Return the roles that a key can have, with their scopes."""
    return [RoleOut(role=role, scopes=sorted(scopes)) for role, scopes in SCOPES.items()]


@router.get("", policy=needs("keys:read"))
async def list_keys(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[KeyOut]:
    """Return keys in the order of their making, revoked ones too."""
    rows = await queries.list_keys(tx, after=id_after(cursor), limit=limit)
    return page_by_id([KeyOut.model_validate(row) for row in rows], limit)


@router.post("", policy=needs("keys:write", privileged=True), status_code=201)
async def make_key(
    body: KeyIn, request: Request, response: Response, caller: Caller, tx: Write
) -> KeyMade:
    """Make a key; this answer is the only place where it is shown."""
    key, secret = await usecases.create_key(
        tx, body.role, body.name, expires_at=body.expires_at, caller=caller
    )
    shown = KeyOut.model_validate(key).model_dump()
    # A repeated request gets this answer from a row, and a key may stand in no row.
    state_of(request).stored_body = KeyMade(**shown, key=None).model_dump_json().encode()
    response.headers["Location"] = f"/v1/keys/{key.id}"
    return KeyMade(**shown, key=secret)


@router.delete("/{key_id}", policy=needs("keys:write", privileged=True))
async def revoke_key(key_id: UUID, tx: Write) -> KeyOut:
    """End a key; it is refused everywhere within seconds."""
    return KeyOut.model_validate(await usecases.revoke_key(tx, key_id))
