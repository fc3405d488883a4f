"""What is younger: the file, or what is known of a field."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.imports.chunks import Rows
from contacts_svc.imports.model import FieldSource
from contacts_svc.people import queries as people
from contacts_svc.people.model import PersonChange, Saved, Verdict
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx


async def keep_younger(tx: Tx, part: Rows, newest: Collection[str]) -> None:
    """Let each draft leave alone what is known since a later moment than its row tells of.

    Rows of one chunk are taken from the youngest to the oldest. Whoever turns up only while the chunk is saved was made
    just now, so that nothing of them is replaced.
    """
    order = sorted(range(len(part.drafts)), key=lambda index: part.as_of[index], reverse=True)
    part.drafts = [part.drafts[index] for index in order]
    part.cells = [part.cells[index] for index in order]
    part.granted = [part.granted[index] for index in order]
    part.as_of = [part.as_of[index] for index in order]
    keys = sorted({key for draft in part.drafts for key in draft.keys})
    owners = await people.lock_owners(tx, keys)
    ages = await _ages(tx, {person.id for person in owners.values()}, newest)
    seen: set[tuple[str, str]] = set()
    for draft, as_of in zip(part.drafts, part.as_of, strict=True):
        owner = next((owners[key] for key in draft.keys if key in owners), None)
        if owner is None or seen.intersection(draft.keys):
            older = set(newest)
        else:
            older = {name for name in newest if ages.get((owner.id, name), as_of) > as_of}
        seen.update(draft.keys)
        draft.keeps |= older


async def _ages(
    tx: Tx, person_ids: Collection[UUID], fields: Collection[str]
) -> dict[tuple[UUID, str], datetime]:
    """Return when each field was last told: the moment that an import's file tells of, or that of the change."""
    if not person_ids:
        return {}
    change, source = table_of(PersonChange), table_of(FieldSource)
    name = func.jsonb_object_keys(change.c.changes).table_valued("name", name="told")
    last = (
        select(change.c.person_id, name.c.name, change.c.at, change.c.import_id)
        .ext(distinct_on(change.c.person_id, name.c.name))
        .select_from(change.join(name, literal(value=True)))
        .where(change.c.person_id == people.any_of(person_ids))
        .order_by(change.c.person_id, name.c.name, change.c.id.desc())
        .subquery("last")
    )
    rows = await tx.execute(
        select(last.c.person_id, last.c.name, func.coalesce(source.c.as_of, last.c.at)).select_from(
            last.outerjoin(
                source,
                and_(
                    source.c.person_id == last.c.person_id,
                    source.c.field == last.c.name,
                    source.c.import_id == last.c.import_id,
                ),
            )
        )
    )
    return {(person_id, name): at for person_id, name, at in plain(rows) if name in fields}


async def note_ages(
    tx: Tx, import_id: UUID, part: Rows, saved: Sequence[Saved], newest: Collection[str]
) -> None:
    """Remember of which moment the values are that were taken from these rows."""
    told: dict[tuple[UUID, str], datetime] = {}
    for draft, as_of, one in zip(part.drafts, part.as_of, saved, strict=True):
        if one.person_id is None or one.verdict not in (Verdict.CREATED, Verdict.UPDATED):
            continue
        given = {name for name, value in draft.fields.items() if value}
        given |= {f"custom.{key}" for key in draft.custom}
        for name in given.intersection(newest):
            if one.verdict is Verdict.CREATED or name not in draft.keeps:
                told.setdefault((one.person_id, name), as_of)
    if not told:
        return
    rows = column_set(
        "told",
        {
            "person_id": (Uuid(), [person_id for person_id, _ in told]),
            "field": (Text(), [name for _, name in told]),
            "as_of": (Moment, list(told.values())),
        },
    )
    fresh = insert(table_of(FieldSource)).from_select(
        ["person_id", "field", "as_of", "import_id"],
        select(*rows.c, literal(import_id, Uuid())),
    )
    await tx.execute(
        fresh.on_conflict_do_update(
            index_elements=["person_id", "field"],
            set_={"as_of": fresh.excluded.as_of, "import_id": fresh.excluded.import_id},
        )
    )
