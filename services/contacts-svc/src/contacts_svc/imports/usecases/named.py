"""Which tables keep a person whom an import has made, when the import is undone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, exists, select

from contacts_svc.imports.model import Import
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx

DERIVED = frozenset(
    {
        "identifier",
        "person_change",
        "postal_address",
        "field_value",
        "field_secret",
        "import_touched",
        "person_field_source",
        "list_member",
        "permission_ledger",
        "permission_state",
        "touched_person",
        "segment_member",
        "segment_due",
        "person_value",
        "quality_score",
        "lifecycle_change",
        "doorstep",
        "duplicate_due",
        "duplicate_key",
    }
)
"""Tables that hold what the import itself brought, or what is derived from it: they do not keep a person."""
KEEPING = frozenset(
    {
        "confirmation",
        "dossier",
        "engagement_fact",
        "erasure",
        "insight",
        "interaction",
        "invoice_fact",
        "lead",
        "lead_answer",
        "lifecycle_pin",
        "message_fact",
        "order_fact",
        "payment_fact",
        "person_link",
        "preference",
        "reach_evidence",
        "response_fact",
        "return_fact",
        "visitor_person",
    }
)
"""Tables that name a person because something happened with them since: who stands there stays."""


async def named_since(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return which tables name these persons beside what an import writes: orders, interactions, leads."""
    found: dict[UUID, list[str]] = {}
    if not ids:
        return found
    rows = column_set("asked", {"person_id": (Uuid(), list(ids))})
    for name in sorted(KEEPING):
        table = Import.metadata.tables[name]
        named = await tx.scalars(
            select(rows.c.person_id).where(exists().where(table.c.person_id == rows.c.person_id))
        )
        for person_id in named:
            found.setdefault(person_id, []).append(name)
    return found
