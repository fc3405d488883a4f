"""Which source knows better: the company's own order, the most trusted first."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, Text, case, delete, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from contacts_svc.base import plain, table_of
from contacts_svc.imports.chunks import Rows
from contacts_svc.imports.errors import SourcesInvalid
from contacts_svc.imports.model import Import, ImportSource
from contacts_svc.people import queries as people
from contacts_svc.people.model import PersonChange
from kantis_kit.db.sets import column_set
from kantis_kit.tx import ReadTx, Tx

HAND: Final = "hand"
"""The source of what somebody has keyed in; more trusted than every file unless the order names it."""
_ORDER = 7_310_021
"""The advisory lock of whoever sets the order."""


async def set_sources(tx: Tx, names: Sequence[str]) -> list[str]:
    """Set the order of sources, the most trusted first; one that is not named is trusted least.

    Raises:
        SourcesInvalid: a name is empty or there twice.
    """
    given = [name.strip() for name in names]
    folded = [name.casefold() for name in given]
    if not all(given) or len(set(folded)) < len(folded):
        raise SourcesInvalid("sources: name each source once")
    table = table_of(ImportSource)
    # Two orders that are set at once are set one after the other.
    await tx.execute(select(func.pg_advisory_xact_lock(_ORDER)))
    await tx.execute(delete(table))
    if given:
        rows = column_set(
            "given", {"name": (Text(), given), "rank": (Integer(), list(range(len(given))))}
        )
        await tx.execute(insert(table).from_select(["name", "rank"], select(*rows.c)))
    tx.audit("imports.sources_set", "sources", sources=given)
    return given


async def list_sources(tx: ReadTx) -> list[str]:
    """Return the sources that have a rank, the most trusted first."""
    table = table_of(ImportSource)
    return list(await tx.scalars(select(table.c.name).order_by(table.c.rank)))


async def keep_better(tx: Tx, part: Rows, fields: Collection[str], source: str) -> None:
    """Let each draft leave alone what is known from a source that is trusted more than that of the file."""
    order = [name.casefold() for name in await list_sources(tx)]
    ranks = {name: rank for rank, name in enumerate(order)}
    ranks.setdefault(HAND, -1)
    mine = ranks.get(source.casefold(), len(order))
    keys = sorted({key for draft in part.drafts for key in draft.keys})
    owners = await people.lock_owners(tx, keys)
    known = await _sources(tx, {person.id for person in owners.values()}, fields)
    for draft in part.drafts:
        for owner in {owners[key].id for key in draft.keys if key in owners}:
            draft.keeps |= {
                name
                for name in fields
                if ranks.get(known.get((owner, name), ""), len(order)) < mine
            }


async def _sources(
    tx: ReadTx, person_ids: Collection[UUID], fields: Collection[str]
) -> dict[tuple[UUID, str], str]:
    """Return of each field where its value came from: the source of the import or form, or somebody's hand."""
    if not person_ids:
        return {}
    change, imports = table_of(PersonChange), table_of(Import)
    name = func.jsonb_object_keys(change.c.changes).table_valued("name", name="told")
    last = (
        select(change.c.person_id, name.c.name, change.c.actor, change.c.import_id)
        .ext(distinct_on(change.c.person_id, name.c.name))
        .select_from(change.join(name, literal(value=True)))
        .where(change.c.person_id == people.any_of(person_ids))
        .order_by(change.c.person_id, name.c.name, change.c.id.desc())
        .subquery("last")
    )
    form = "form:"
    source = case(
        (imports.c.id.is_not(None), imports.c.source),
        (last.c.actor.startswith(form), func.substr(last.c.actor, len(form) + 1)),
        else_=HAND,
    )
    rows = await tx.execute(
        select(last.c.person_id, last.c.name, source).select_from(
            last.outerjoin(imports, imports.c.id == last.c.import_id)
        )
    )
    return {
        (person_id, name): from_.casefold()
        for person_id, name, from_ in plain(rows)
        if name in fields
    }
