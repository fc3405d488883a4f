"""Files are looked at and promised."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from contacts_svc.fields import queries as fields
from contacts_svc.fields.model import CustomField
from contacts_svc.imports import columns, values
from contacts_svc.imports.errors import FileUnreadable, ListUnknown
from contacts_svc.imports.model import Import, ImportState
from contacts_svc.imports.reading import Sheet, open_sheet
from contacts_svc.imports.schemas import FormatOut, Options, Policy, PreviewOut, PreviewRow
from contacts_svc.imports.usecases.taking import NOTIFY_CHANNEL, WAITS
from contacts_svc.imports.xlsx import Unreadable, is_workbook
from contacts_svc.people.model import FIELDS
from kantis_kit.csv_rows import Record, read_records
from kantis_kit.tx import ReadTx, Tx

PREVIEW_ROWS = 5
SAMPLE_ROWS = 5_000
"""Rows from which the formats of columns are decided."""
_SHOWN = 200
_LOCK_DIGITS = 15
_SAME = (
    "mapping",
    "formats",
    "policies",
    "country",
    "on_existing",
    "list_id",
    "as_of",
    "permission_source",
    "permission_text",
    "source",
)
"""What must be the same, beside the file, for an import to be the same."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a file looks like, and how it is going to be read."""

    sheet: Sheet
    kind: str
    size: int
    mapping: dict[str, str]
    decided: dict[str, values.Decided]
    first: list[Record]
    letters: list[Record]
    samples: dict[str, list[str]]
    problems: list[str]

    @property
    def formats(self) -> dict[str, str]:
        return {column: one.form.value for column, one in self.decided.items()}


def _open(path: Path) -> tuple[Sheet, str, int]:
    kind = "xlsx" if is_workbook(path) else "csv"
    sheet = open_sheet(path)
    return sheet, kind, path.stat().st_size


def _rows(
    sheet: Sheet, wanted: list[str]
) -> tuple[list[Record], list[Record], dict[str, list[str]]]:
    first: list[Record] = []
    letters: list[Record] = []
    samples: dict[str, list[str]] = {column: [] for column in wanted}
    places = {column: sheet.header.index(column) for column in wanted}
    rows = read_records(
        sheet.path,
        sheet.encoding,
        sheet.delimiter,
        offset=sheet.data_offset,
        number=sheet.header_row,
    )
    for record in islice(rows, SAMPLE_ROWS):
        if len(first) < PREVIEW_ROWS:
            first.append(record)
        if len(letters) < PREVIEW_ROWS and not all(cell.isascii() for cell in record.cells):
            letters.append(record)
        if len(record.cells) == len(sheet.header):
            for column, place in places.items():
                samples[column].append(record.cells[place][:_SHOWN])
    return first, letters, samples


async def _look(tx: ReadTx, path: Path, options: Options) -> _Look:
    try:
        sheet, kind, size = await asyncio.to_thread(_open, path)
    except Unreadable as error:
        raise FileUnreadable(f"{error}") from error
    declared = await fields.load(tx)
    mapping = {**columns.guess(sheet.header, declared), **options.mapping}
    wrong = _problems(sheet, mapping, options, declared)
    written = [
        column
        for column, field in mapping.items()
        if column in sheet.header and columns.kind_of(field, declared) in values.FORMS_OF
    ]
    first, letters, samples = await asyncio.to_thread(_rows, sheet, written)
    decided = {}
    for column in written:
        given = options.formats.get(column)
        found = values.decide(columns.kind_of(mapping[column], declared), samples[column])
        if given in {form.value for form in values.Form}:
            decided[column] = values.Decided(values.Form(given))
        elif found is not None:
            decided[column] = found
    return _Look(sheet, kind, size, mapping, decided, first, letters, samples, wrong)


def _problems(
    sheet: Sheet, mapping: dict[str, str], options: Options, declared: Mapping[str, CustomField]
) -> list[str]:
    wrong = columns.problems(sheet.header, mapping, declared)
    wrong += columns.format_problems(mapping, options.formats, declared)
    wrong += policy_problems(options.policies, declared)
    if (
        any(field.startswith(columns.PERMISSION) for field in mapping.values())
        and not options.permission_source
    ):
        wrong.append(
            "permission_source: say where these permissions were given and how, else leave their columns out"
        )
    return wrong


def policy_problems(policies: Mapping[str, str], declared: Mapping[str, CustomField]) -> list[str]:
    """Return what is wrong with policies, in sentences."""
    return [
        f"policies: {field[:60]!r} is no field of a contact that an import replaces"
        for field in policies
        if field not in FIELDS and field.removeprefix(columns.CUSTOM) not in declared
    ] + [
        f"policies: {policy[:40]!r} is none; use one of {', '.join(Policy)}"
        for policy in policies.values()
        if policy not in set(Policy)
    ]


async def preview(tx: ReadTx, path: Path, options: Options) -> PreviewOut:
    """Tell how a file would be read: its first rows, the formats of its columns, and the first letters beyond ASCII.

    Raises:
        FileUnreadable: it is not a table.
    """
    look = await _look(tx, path, options)
    sheet = look.sheet
    declared = await fields.load(tx)
    return PreviewOut(
        kind=look.kind,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        mapping=look.mapping,
        unknown_columns=[column for column in sheet.header if not look.mapping.get(column)],
        problems=look.problems,
        formats=[
            _format_out(
                column,
                look.mapping[column],
                decided,
                look.samples[column],
                columns.kind_of(look.mapping[column], declared),
            )
            for column, decided in look.decided.items()
        ],
        first_rows=[_preview_row(sheet, record) for record in look.first],
        rows_with_letters_beyond_ascii=[_preview_row(sheet, record) for record in look.letters],
    )


def _format_out(
    column: str, field: str, decided: values.Decided, sample: list[str], kind: str
) -> FormatOut:
    examples: dict[str, str] = {}
    unread = 0
    for cell in sample:
        if not cell.strip() or cell.strip() == "-":
            continue
        try:
            read = values.read(kind, decided.form, cell)
        except values.Unreadable:
            unread += 1
            continue
        if len(examples) < values.EXAMPLES:
            examples[cell] = read
    return FormatOut(
        column=column,
        field=field,
        format=decided.form.value,
        doubt=decided.doubt,
        examples=examples,
        unread=unread,
    )


def _preview_row(sheet: Sheet, record: Record) -> PreviewRow:
    cells = {
        column: cell[:_SHOWN] for column, cell in zip(sheet.header, record.cells, strict=False)
    }
    return PreviewRow(row_number=record.number, cells=cells, problem=record.problem)


async def start(
    tx: Tx, import_id: UUID, path: Path, sha256: str, options: Options
) -> tuple[Import, bool]:
    """Promise an import: from the commit on it is carried through, whatever stops in between.

    The same file with the same options is not taken twice: the earlier import is returned, with False.

    Raises:
        FileUnreadable: it is not a table, columns are missing, or permissions without a source.
        ListUnknown: there is no list of that id.
    """
    look = await _look(tx, path, options)
    if look.problems:
        errors = [{"in": "body", "field": "file", "message": one} for one in look.problems]
        raise FileUnreadable("; ".join(look.problems), errors=errors)
    await _check_list(tx, options.list_id)
    sheet = look.sheet
    found = Import(
        id=import_id,
        name=options.name,
        kind=look.kind,
        file_sha256=sha256,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        mapping=look.mapping,
        formats=look.formats,
        policies=dict(options.policies),
        as_of=options.as_of,
        list_id=options.list_id,
        header=sheet.header,
        country=options.country,
        source=options.source or options.name or "import",
        on_existing=options.on_existing.value,
        permission_source=options.permission_source,
        permission_text=options.permission_text,
        file_bytes=look.size,
        offset_bytes=sheet.data_offset,
        row_number=sheet.header_row,
        actor=tx.actor,
        started_at=tx.clock.now(),
    )
    if not options.again:
        earlier = await _find_earlier(tx, found)
        if earlier is not None:
            return earlier, False
    tx.add(found)
    await tx.schedule(WAITS, str(import_id), tx.clock.now())
    await tx.execute(select(func.pg_notify(NOTIFY_CHANNEL, "")))
    return found, True


async def _check_list(tx: Tx, list_id: UUID | None) -> None:
    if list_id is None:
        return
    segment = Import.metadata.tables["segment"]
    kind = await tx.scalar(select(segment.c.kind).where(segment.c.id == list_id))
    if kind != "list":
        raise ListUnknown("list_id: name a segment of kind list")


async def _find_earlier(tx: Tx, found: Import) -> Import | None:
    """Return the import that took this file in the same way; two that come at once wait for each other."""
    key = int(found.file_sha256[:_LOCK_DIGITS], 16)
    await tx.execute(select(func.pg_advisory_xact_lock(key)))
    rows = await tx.scalars(
        select(Import)
        .where(
            col(Import.file_sha256) == found.file_sha256,
            col(Import.state).in_([ImportState.RUNNING, ImportState.DONE]),
        )
        .order_by(col(Import.id).desc())
        .limit(50)
    )
    return next(
        (one for one in rows if all(getattr(one, name) == getattr(found, name) for name in _SAME)),
        None,
    )
