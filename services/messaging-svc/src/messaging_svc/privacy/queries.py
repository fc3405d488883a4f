"""Everything that messaging holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from kantis_kit.db.sets import one_of
from kantis_kit.gathering import MOST_ROWS, Rows, rows_naming, rows_of
from kantis_kit.tx import ReadTx
from messaging_svc.base import Uid, metadata
from messaging_svc.conversations.model import (
    conversation,
    conversation_file,
    conversation_message,
)
from messaging_svc.dispatch.model import dispatch

_TECHNICAL = (
    "claimed_by",
    "claimed_until",
    "fence",
    "next_at",
    "is_announced",
    "email_hash",
    "phone_hash",
    "visitor_hash",
)
"""How a message is worked on; tells nothing of anybody."""


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what messaging holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uid)
    found = await rows_naming(tx, metadata, ids, without=_TECHNICAL)
    engagement = metadata.tables["engagement"]
    theirs = select(dispatch.c.id).where(dispatch.c.person_id == chosen)
    found[engagement.name] = await rows_of(tx, engagement, engagement.c.message_id.in_(theirs))
    found |= await _gather_conversations(tx, ids)
    return {kind: rows for kind, rows in found.items() if rows}


async def _gather_conversations(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what was said in a person's conversations, and which files came with it; their content is asked for apart."""
    talked = select(conversation.c.id).where(conversation.c.person_id == one_of(sorted(ids), Uid))
    said = conversation_message.c.conversation_id.in_(talked)
    files = await tx.execute(
        select(
            conversation_file.c.message_id,
            conversation_file.c.name,
            conversation_file.c.kind,
            conversation_file.c.size_bytes,
        )
        .join(conversation_message, conversation_message.c.id == conversation_file.c.message_id)
        .where(said)
        .order_by(conversation_file.c.id)
        .limit(MOST_ROWS + 1)
    )
    return {
        conversation_message.name: await rows_of(tx, conversation_message, said),
        conversation_file.name: [
            {
                "message_id": str(row.message_id),
                "name": row.name,
                "kind": row.kind,
                "size_bytes": row.size_bytes,
            }
            for row in files
        ],
    }
