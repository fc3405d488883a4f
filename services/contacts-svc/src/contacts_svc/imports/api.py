"""Imports at the API."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from contacts_svc.imports import files, queries, usecases
from contacts_svc.imports.errors import FileUnreadable, KindUnknown
from contacts_svc.imports.schemas import (
    ImportOut,
    KeptOut,
    MappingIn,
    MappingOut,
    Options,
    PreviewOut,
    SourcesIn,
    SourcesOut,
)
from contacts_svc.intake import queries as intake
from contacts_svc.people.model import OnExisting
from contacts_svc.settings import ContactsSettings
from kantis_contracts.values import Country
from kantis_kit.auth.policy import needs
from kantis_kit.errors import Invalid
from kantis_kit.files import forget, store
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.downloads import spooled
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant
from kantis_kit.web.uploads import posted_file

router = Router(prefix="/v1/imports", tags=["imports"])
MAX_FILE_BYTES = 1024 * 1024 * 1024
_MAPPING: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
_MAPPING_FORM = '{"column": "field"}; an empty field leaves the column out'
_KINDS = (
    "text/csv",
    "application/csv",
    "text/plain",
    "application/octet-stream",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
_ASKED = "Content-Type: text/csv or that of .xlsx with the file as body, or multipart/form-data with a field file"
Words = Annotated[str, Query(max_length=200)]


def _read_object(name: str, text: str, form: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        return _MAPPING.validate_python(orjson.loads(text), strict=True)
    except (orjson.JSONDecodeError, ValidationError) as error:
        message = f"{name}: JSON of the form {form}"
        raise Invalid(message) from error


async def _with_saved(tx: Tx, name: str, options: Options) -> Options:
    """Fill in what a saved mapping says and the request does not."""
    if not name:
        return options
    found = await queries.find_mapping(tx, name)
    return options.model_copy(
        update={
            "mapping": {**found.mapping, **options.mapping},
            "formats": {**found.formats, **options.formats},
            "policies": {**found.policies, **options.policies},
        }
    )


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
    responses={
        200: {
            "model": PreviewOut | ImportOut,
            "description": "How the file would be read (preview), or the import that took it before",
        }
    },
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
    saved_mapping: Annotated[
        str, Query(max_length=100, description="Name of a mapping; what is given here goes first")
    ] = "",
    formats: Annotated[
        str, Query(max_length=20_000, description='JSON: {"column": "dd.mm.yyyy"}')
    ] = "",
    policies: Annotated[
        str,
        Query(max_length=20_000, description='JSON: {"field": "keep | replace | newest | source"}'),
    ] = "",
    as_of: Annotated[
        Instant | None,
        Query(description="When the file told the truth, for the policy newest; now when left out"),
    ] = None,
    list_id: Annotated[
        UUID | None, Query(description="A segment of kind list that everybody in the file joins")
    ] = None,
    again: Annotated[
        bool, Query(description="Take the file though it was taken before in the same way")
    ] = False,
    preview: Annotated[bool, Query(description="Only tell how the file would be read")] = False,
) -> ImportOut | PreviewOut:
    """Take a CSV or XLSX file of contacts (up to 1 GiB); it is read in the background, see the import's progress.

    Encoding, delimiter, columns and the formats of days and numbers are found; `preview=true` tells how, and keeps
    nothing. The same file with the same options is answered (200) with the import that took it. Columns called
    `permission.<channel>.<purpose>` grant permissions, with `permission_source` only, and never against a person's no.
    """
    options = Options(
        name=name,
        source=source,
        country=country,
        on_existing=on_existing,
        permission_source=permission_source,
        permission_text=permission_text,
        mapping=_read_object("mapping", mapping, _MAPPING_FORM),
        formats=_read_object("formats", formats, '{"column": "dd.mm.yyyy"}'),
        policies=_read_object("policies", policies, '{"field": "keep"}'),
        as_of=as_of,
        list_id=list_id,
        again=again,
    )
    texts = (name, source, permission_source, permission_text, mapping, formats, policies)
    if any("\x00" in text or "\\u0000" in text for text in (*texts, saved_mapping)):
        raise Invalid("A parameter holds a NUL character")
    if as_of is not None and as_of > tx.clock.now():
        raise Invalid("as_of: lies in the future; a file tells what was true when it was written")
    import_id = new_id()
    path = files.path_of(tx.settings(ContactsSettings).data_dir, import_id)
    is_kept = False
    try:
        body = posted_file(request, _KINDS, missing=FileUnreadable, other=KindUnknown(_ASKED))
        sha256 = await store(path, body)
        # The first statement after the last byte: no transaction stands open while a slow caller sends.
        options = await _with_saved(tx, saved_mapping, await _with_form(tx, form, options))
        if preview:
            response.status_code = 200
            return await usecases.preview(tx, path, options)
        found, is_kept = await usecases.start(tx, import_id, path, sha256, options)
    finally:
        if not is_kept:
            await forget(path)
    if not is_kept:
        response.status_code = 200
    response.headers["Location"] = f"/v1/imports/{found.id}"
    return queries.import_out(found)


@router.get("", policy=needs("contacts:read"))
async def list_imports(
    tx: Read, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[ImportOut]:
    """List the newest imports first."""
    return await queries.list_imports(tx, limit=limit)


@router.post("/mappings", policy=needs("contacts:write"), status_code=201)
async def save_mapping(body: MappingIn, tx: Write, response: Response) -> MappingOut:
    """Save how the files of one sender are read; an import names it with `saved_mapping`."""
    found = await usecases.save_mapping(tx, body)
    response.headers["Location"] = f"/v1/imports/mappings/{found.id}"
    response.headers["ETag"] = etag(found.version)
    return MappingOut.model_validate(found)


@router.get("/mappings", policy=needs("contacts:read"))
async def list_mappings(tx: Read) -> list[MappingOut]:
    """List the saved mappings by their names."""
    return await queries.list_mappings(tx)


@router.get("/mappings/{mapping_id}", policy=needs("contacts:read"))
async def get_mapping(mapping_id: UUID, tx: Read, response: Response) -> MappingOut:
    """Return a saved mapping."""
    found = await queries.get_mapping(tx, mapping_id)
    response.headers["ETag"] = etag(found.version)
    return MappingOut.model_validate(found)


@router.put("/mappings/{mapping_id}", policy=needs("contacts:write"))
async def change_mapping(
    mapping_id: UUID, body: MappingIn, request: Request, tx: Write, response: Response
) -> MappingOut:
    """Replace a mapping that has not changed since it was read (If-Match)."""
    found = await usecases.get_mapping_for_update(tx, mapping_id)
    require_match(request, found.version)
    await usecases.change_mapping(tx, found, body)
    response.headers["ETag"] = etag(found.version)
    return MappingOut.model_validate(found)


@router.delete("/mappings/{mapping_id}", policy=needs("contacts:write"), status_code=204)
async def delete_mapping(mapping_id: UUID, tx: Write) -> None:
    """Forget a mapping."""
    await usecases.delete_mapping(tx, mapping_id)


@router.get("/sources", policy=needs("contacts:read"))
async def list_sources(tx: Read) -> SourcesOut:
    """List the sources that are trusted more than others, the most trusted first."""
    return SourcesOut(sources=await usecases.list_sources(tx))


@router.put("/sources", policy=needs("contacts:write"))
async def set_sources(body: SourcesIn, tx: Write) -> SourcesOut:
    """Set which source is trusted more: what the policy `source` of a field goes by, from the next rows on."""
    return SourcesOut(sources=await usecases.set_sources(tx, body.sources))


@router.get("/{import_id}", policy=needs("contacts:read"))
async def get_import(import_id: UUID, tx: Read) -> ImportOut:
    """Tell how far an import is."""
    return await queries.get_import(tx, import_id)


@router.post("/{import_id}/undo", policy=needs("contacts:write", privileged=True), status_code=202)
async def undo_import(import_id: UUID, tx: Write) -> ImportOut:
    """Take a whole import back, also one that runs; what somebody changed or used since stays, see its `/kept`.

    Contacts that it made are emptied, values and addresses that it brought are set back, permissions that it granted are
    withdrawn, and whom it put on a list leaves it.
    """
    return queries.import_out(await usecases.undo(tx, import_id))


@router.get("/{import_id}/kept", policy=needs("contacts:read"))
async def list_kept(
    import_id: UUID,
    tx: Read,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Page[KeptOut]:
    """List the contacts of whom an undo has left something, and why."""
    return await queries.list_kept(tx, import_id, cursor=cursor, limit=limit)


@router.get(
    "/{import_id}/rejects.csv",
    policy=needs("contacts:read"),
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "The rows, a line each"}},
)
async def get_rejects(import_id: UUID, tx: Read) -> Response:
    """Return the rows that were not taken, with number and reason; mend them and send the file again.

    Cells that hold a national identity number are masked.
    """
    return await spooled(
        queries.rejects_as_csv(tx, import_id),
        media_type="text/csv; charset=utf-8",
        filename=f"rejects-{import_id}.csv",
    )
