"""Imports at the API."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from contacts_svc.imports import files, queries, usecases
from contacts_svc.imports.errors import FileUnreadable, KindUnknown
from contacts_svc.imports.schemas import ImportOut, Options, PreviewOut
from contacts_svc.intake import queries as intake
from contacts_svc.people.model import OnExisting
from contacts_svc.settings import ContactsSettings
from kantis_contracts.values import Country
from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/imports", tags=["imports"])
MAX_FILE_BYTES = 100 * 1024 * 1024
_PART = 1 << 20
_MAPPING: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_CSV = (
    "text/csv",
    "application/csv",
    "text/plain",
    "application/octet-stream",
    "application/vnd.ms-excel",
)
Words = Annotated[str, Query(max_length=200)]


async def _parts(upload: UploadFile) -> AsyncIterator[bytes]:
    while part := await upload.read(_PART):
        yield part


async def _body(request: Request) -> AsyncIterator[bytes]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=5) as form:
            upload = next((value for value in form.values() if isinstance(value, UploadFile)), None)
            if upload is None:
                raise FileUnreadable("The form holds no file; send it in a field called file")
            async for part in _parts(upload):
                yield part
    elif kind in _CSV:
        async for part in request.stream():
            yield part
    else:
        raise KindUnknown(
            "Content-Type: text/csv with the file as body, or multipart/form-data with a field file"
        )


def _read_mapping(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        return _MAPPING.validate_python(orjson.loads(text), strict=True)
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise Invalid(
            'mapping: JSON of the form {"column": "field"}; an empty field leaves the column out'
        ) from error


async def _with_form(tx: Tx, form: str, options: Options) -> Options:
    if not form:
        return options
    found = await intake.get_form(tx, form)
    words = found.consent[found.default_language]
    return options.model_copy(
        update={
            "source": options.source or found.source,
            "permission_source": options.permission_source or f"form {found.key}: {found.source}",
            "permission_text": options.permission_text or words["text"],
        }
    )


@router.post(
    "",
    policy=needs("contacts:write"),
    status_code=202,
    responses={200: {"model": PreviewOut, "description": "How the file would be read (preview)"}},
    max_body_size=MAX_FILE_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "navn;e-post\nKari Nes;kari@example.com\n",
                },
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
async def start_import(
    request: Request,
    response: Response,
    tx: Write,
    *,
    name: Words = "",
    source: Words = "",
    country: Annotated[
        Country, Query(description="Of rows that name none; phone numbers are read by it")
    ] = "NO",
    on_existing: OnExisting = OnExisting.UPDATE,
    form: Annotated[
        str, Query(max_length=64, description="Key of the form whose leads these are")
    ] = "",
    permission_source: Annotated[
        str, Query(max_length=200, description="Needed with permission columns")
    ] = "",
    permission_text: Annotated[str, Query(max_length=4_000)] = "",
    mapping: Annotated[str, Query(max_length=20_000, description='JSON: {"column": "field"}')] = "",
    preview: Annotated[bool, Query(description="Only tell how the file would be read")] = False,
) -> ImportOut | PreviewOut:
    """Take a CSV file of contacts (up to 100 MB); it is read in the background, see the import's progress.

    Encoding, delimiter and columns are found; `preview=true` tells how, and keeps nothing. Columns called
    `permission.<channel>.<purpose>` grant permissions, with `permission_source` only, and never against a person's no.
    """
    options = Options(
        name=name,
        source=source,
        country=country,
        on_existing=on_existing,
        permission_source=permission_source,
        permission_text=permission_text,
        mapping=_read_mapping(mapping),
    )
    if any("\x00" in text for text in (name, source, permission_source, permission_text, mapping)):
        raise Invalid("A parameter holds a NUL character")
    options = await _with_form(tx, form, options)
    import_id = new_id()
    path = files.path_of(tx.settings(ContactsSettings).data_dir, import_id)
    is_kept = False
    try:
        size = await files.store(path, _body(request))
        if preview:
            response.status_code = 200
            return await usecases.preview(path, options)
        found = await usecases.start(tx, import_id, path, size, options)
        is_kept = True
    finally:
        if not is_kept:
            await files.forget(path)
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return queries.import_out(found)


@router.get("", policy=needs("contacts:read"))
async def list_imports(
    tx: Read, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[ImportOut]:
    """List the newest imports first."""
    return await queries.list_imports(tx, limit=limit)


@router.get("/{import_id}", policy=needs("contacts:read"))
async def get_import(import_id: UUID, tx: Read) -> ImportOut:
    """Tell how far an import is."""
    return await queries.get_import(tx, import_id)


@router.get(
    "/{import_id}/rejects.csv",
    policy=needs("contacts:read"),
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "The rows, a line each"}},
)
async def get_rejects(import_id: UUID, tx: Read) -> Response:
    """Return the rows that were not taken, with number and reason; mend them and send the file again."""
    return Response(
        await queries.rejects_as_csv(tx, import_id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rejects-{import_id}.csv"'},
    )
