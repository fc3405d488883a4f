"""Reservation registers at the API."""

from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request

from contacts_svc.settings import ContactsSettings
from contacts_svc.washing import queries, usecases
from contacts_svc.washing.errors import WashInvalid, WashKindUnknown
from contacts_svc.washing.schemas import Key, RegisterIn, RegisterOut, WashOut
from kantis_kit import files
from kantis_kit.auth.policy import needs
from kantis_kit.ids import new_id
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from kantis_kit.web.uploads import posted_file

router = Router(prefix="/v1/registers", tags=["registers"])
MAX_FILE_BYTES = 100 * 1024 * 1024
_KINDS = ("text/csv", "application/csv", "text/plain", "application/octet-stream")
_ASKED = "Content-Type: text/csv with the file as body, or multipart/form-data with a field file"


@router.get("", policy=needs("contacts:read"))
async def list_registers(tx: Read) -> list[RegisterOut]:
    """Return the reservation registers, when each was washed against, and until when that counts."""
    return await queries.list_registers(tx)


@router.put("/{key}", policy=needs("contacts:write", privileged=True))
async def set_register(key: Key, body: RegisterIn, tx: Write) -> RegisterOut:
    """Declare a register: which country and channels, how often it must be asked, how its file is read."""
    await usecases.set_register(tx, key, body)
    (register,) = await queries.list_registers(tx, key=key)
    return register


@router.get("/{key}/washes", policy=needs("contacts:read"))
async def list_washes(key: Key, tx: Read) -> list[WashOut]:
    """Return the files that were taken in, the newest first."""
    return await queries.list_washes(tx, key)


@router.post(
    "/{key}/washes",
    policy=needs("contacts:write"),
    status_code=201,
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "telefon\n41234567\n"},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def wash(
    key: Key,
    request: Request,
    tx: Write,
    *,
    as_of: Annotated[
        date | None, Query(description="The day of which the file is; today when left out")
    ] = None,
) -> WashOut:
    """Take in a file of the register; whom it names is kept as keyed hashes, the file itself is not kept."""
    path = _path(tx.settings(ContactsSettings).data_dir)
    try:
        body = posted_file(request, _KINDS, missing=WashInvalid, other=WashKindUnknown(_ASKED))
        if not await files.store(path, body):
            raise WashInvalid("The file is empty")
        return await usecases.wash(tx, key, path, as_of=as_of or tx.clock.now().date())
    finally:
        await files.forget(path)


def _path(data_dir: Path) -> Path:
    return data_dir / "washing" / f"{new_id()}.csv"
