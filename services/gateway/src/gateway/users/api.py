"""The users API: for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from gateway.users import queries, usecases
from gateway.users.schemas import LinkMade, SessionOut, UserIn, UserMade, UserOut, UserPatch
from kantis_kit.auth.policy import needs
from kantis_kit.settings import ServiceSettings
from kantis_kit.tx import ReadTx
from kantis_kit.web import Caller, Page, Read, Router, Write, id_after
from kantis_kit.web.paging import page_by_id
from kantis_kit.web.state import state_of

router = Router(prefix="/v1/users", tags=["users"])


def _address(tx: ReadTx, token: str) -> str:
    return f"{tx.settings(ServiceSettings).public_url}/console/welcome/{token}"


@router.get("", policy=needs("users:read"))
async def list_users(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[UserOut]:
    """Return users in the order of their making, disabled ones too."""
    rows = await queries.list_users(tx, after=id_after(cursor), limit=limit)
    return page_by_id([queries.shown(row) for row in rows], limit)


@router.post("", policy=needs("users:write", privileged=True), status_code=201)
async def add_user(
    body: UserIn, request: Request, response: Response, caller: Caller, tx: Write
) -> UserMade:
    """Add a user; this answer is the only place where the link that sets their password is shown."""
    user, token = await usecases.add_user(tx, body, caller=caller)
    shown = queries.shown(user).model_dump()
    # A repeated request gets this answer from a row, and a link may stand in no row.
    state_of(request).stored_body = UserMade(**shown, link=None).model_dump_json().encode()
    response.headers["Location"] = f"/v1/users/{user.id}"
    return UserMade(**shown, link=_address(tx, token))


@router.get("/{user_id}", policy=needs("users:read"))
async def get_user(user_id: UUID, tx: Read) -> UserOut:
    """Return a user."""
    return queries.shown(await queries.get_user(tx, user_id))


@router.patch("/{user_id}", policy=needs("users:write", privileged=True))
async def change_user(user_id: UUID, body: UserPatch, caller: Caller, tx: Write) -> UserOut:
    """Change a user; another role or a disabling signs them out everywhere."""
    return queries.shown(await usecases.change_user(tx, user_id, body, caller=caller))


@router.post("/{user_id}/links", policy=needs("users:write", privileged=True), status_code=201)
async def make_link(user_id: UUID, request: Request, tx: Write) -> LinkMade:
    """Make a one-time link that sets the password anew; earlier ones are not good any more."""
    user = await queries.get_user(tx, user_id)
    token, link = await usecases.make_link(tx, user.id)
    repeated = LinkMade(link=None, expires_at=link.expires_at)
    state_of(request).stored_body = repeated.model_dump_json().encode()
    return LinkMade(link=_address(tx, token), expires_at=link.expires_at)


@router.get("/{user_id}/sessions", policy=needs("users:read"))
async def list_sessions(user_id: UUID, tx: Read) -> list[SessionOut]:
    """Return where a user is signed in."""
    user = await queries.get_user(tx, user_id)
    rows = await queries.list_sessions(tx, user.id, now=tx.clock.now())
    return [SessionOut.model_validate(row) for row in rows]


@router.delete("/{user_id}/sessions", policy=needs("users:write", privileged=True), status_code=204)
async def end_sessions(user_id: UUID, tx: Write) -> None:
    """Sign a user out everywhere."""
    await usecases.end_sessions(tx, (await queries.get_user(tx, user_id)).id)
