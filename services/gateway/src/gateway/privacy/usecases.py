"""Forget leads that wait here and were posted by, or for, somebody who is forgotten."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import unquote_plus
from uuid import UUID

from sqlalchemy import Uuid, delete, select
from sqlmodel import col

from gateway.base import Base
from gateway.privacy import events
from gateway.spool.model import Spooled
from kantis_contracts.contacts.privacy import ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts
from kantis_kit.tx import Tx

KEPT: Mapping[str, str] = {}
"""Nothing stays here."""
_PAGE = 200
_MAILBOX = re.compile(r"[^\s@<>\"'=&;,:]+@[^\s@<>\"'=&;,]+")
_NUMBER = re.compile(r"\+?\d(?:[\s().\-]{0,2}\d){7,}")
_TELLING_DIGITS = 8


async def forget(tx: Tx, requests: Sequence[ErasureRequest], *, is_reminder: bool = False) -> None:
    """Delete waiting leads that name an address of these persons, and answer with a receipt each.

    A lead that was posted after the wish to be forgotten is a wish of its own, and stays.
    """

    async def empty(tx: Tx, _ids: Sequence[UUID], counts: Counts) -> None:
        await _drop_leads(tx, requests, counts)

    receipts = await forgetting.forget(
        tx,
        requests,
        empty=empty,
        metadata=Base.metadata,
        kept=KEPT,
        blanks=PERSONAL,
        is_reminder=is_reminder,
    )
    tx.stage(events.completed(receipts))


async def _drop_leads(tx: Tx, requests: Sequence[ErasureRequest], counts: Counts) -> None:
    telling = [one for one in requests if one.address_hashes]
    after = UUID(int=0)
    while telling:
        rows = list(
            await tx.scalars(
                select(Spooled)
                .where(col(Spooled.id) > after)
                .order_by(col(Spooled.id))
                .limit(_PAGE)
            )
        )
        if not rows:
            return
        after = rows[-1].id
        gone = {}
        for row in rows:
            values = addresses_in(row.body)
            owner = next((one for one in telling if _names(one, row, values)), None)
            if owner is not None:
                gone[row.id] = owner
        if gone:
            dropped = await tx.scalars(
                delete(Spooled)
                .where(col(Spooled.id) == one_of(sorted(gone), Uuid()))
                .returning(col(Spooled.id))
            )
            for id_ in dropped:
                counts.add(gone[id_].person_ids[0], "lead_waiting")


def _names(request: ErasureRequest, row: Spooled, values: Iterable[str]) -> bool:
    if row.received_at > request.requested_at:
        return False
    hashes: Collection[str] = request.address_hashes
    return any(
        hashlib.sha256(f"{request.salt}{value}".encode()).hexdigest() in hashes for value in values
    )


def addresses_in(body: bytes) -> set[str]:
    """Return what a posted form or JSON may name of mailboxes, in small letters, and the ends of its phone numbers."""
    raw = body.decode("utf-8", errors="replace")
    found: set[str] = set()
    for text in {raw, unquote_plus(raw)}:
        found |= {one.lower().rstrip(".}])") for one in _MAILBOX.findall(text)}
        digits = ("".join(filter(str.isdigit, one)) for one in _NUMBER.findall(text))
        found |= {one[-_TELLING_DIGITS:] for one in digits}
    return found
