"""Forget persons: nothing that names them stays, and nothing that comes late brings them back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, literal, null, or_, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from kantis_contracts.contacts.privacy import DossierRequest, ErasureRequest
from kantis_contracts.privacy import PERSONAL
from kantis_kit import forgetting, gathering
from kantis_kit.db.sets import one_of
from kantis_kit.forgetting import Counts
from kantis_kit.tx import Tx
from messaging_svc.base import Uid, metadata
from messaging_svc.conversations.model import conversation
from messaging_svc.dispatch.model import dispatch
from messaging_svc.privacy import events, queries
from messaging_svc.register.model import person_card

KEPT = {
    "permission_card": "the no by which nothing is sent; names nobody",
    "withdrawal": "proof that a no was taken, and when; names nobody",
    "dispatch": "that a message was sent, so that none is sent twice; emptied, names nobody",
    "person_card": "that the person is not to be written to; emptied, names nobody",
    "person_alias": "which id stood for which; names nobody",
}
"""Tables that stay, and why; rows of every other table that names a person are deleted."""


def doomed() -> list[Table]:
    """Return the tables whose rows about a person are deleted."""
    return forgetting.tables_naming(metadata, without=KEPT)


async def forget(tx: Tx, requests: Sequence[ErasureRequest], *, is_reminder: bool = False) -> None:
    """Forget persons and answer with a receipt each."""
    receipts = await forgetting.forget(
        tx,
        requests,
        empty=_bury_and_empty,
        metadata=metadata,
        kept=KEPT,
        blanks=PERSONAL,
        is_reminder=is_reminder,
    )
    tx.stage(events.completed(receipts))


async def tell(tx: Tx, requests: Sequence[DossierRequest]) -> None:
    """Answer with everything that is held of persons, each in parts that travel."""
    await gathering.answer(tx, requests, gather=queries.gather, event=events.answered)


async def sweep(tx: Tx, *, is_whole: bool = False) -> None:
    """Empty what an event that came late has written of persons who are forgotten: lately, or ever."""
    lately = partial(_empty, since=tx.clock.now() - forgetting.LATE)
    await forgetting.sweep(tx, empty=lately, blanks=PERSONAL, is_whole=is_whole)


async def _bury_and_empty(tx: Tx, ids: Sequence[UUID], counts: Counts) -> None:
    await _bury(tx, ids)
    await _empty(tx, ids, counts)


async def _bury(tx: Tx, ids: Iterable[UUID]) -> None:
    """Put empty cards in place that no event replaces, whichever comes first."""
    rows = [
        {
            "person_id": id_,
            "version": 0,
            "preferred_name": "",
            "language": "en",
            "country": "NO",
            "email": None,
            "email_hash": None,
            "is_erased": True,
            "changed_at": tx.clock.now(),
        }
        for id_ in ids
    ]
    if rows:
        await tx.execute(insert(person_card).values(rows).on_conflict_do_nothing())


async def _empty(
    tx: Tx, ids: Collection[UUID], counts: Counts, since: datetime | None = None
) -> None:
    chosen = one_of(sorted(ids), Uid)
    await _forget_unrecognised(tx, ids, counts)
    card = person_card
    blank: dict[str, Any] = {"email": null(), "email_hash": null(), "preferred_name": ""}
    blank |= {"phone": null(), "phone_hash": null()}
    named = [
        card.c.email.is_not(None),
        card.c.phone.is_not(None),
        card.c.preferred_name != "",
        ~card.c.is_erased,
    ]
    await counts.run(
        tx,
        "person_card",
        update(card)
        .where(card.c.person_id == chosen, or_(*named))
        .values(**blank, is_erased=True)
        .returning(card.c.person_id),
    )
    telling = or_(
        dispatch.c.to_email.is_not(None),
        dispatch.c.to_phone.is_not(None),
        dispatch.c.preferred_name.is_not(None),
        dispatch.c.facts != literal({}, JSONB()),
        dispatch.c.because != literal([], JSONB()),
        dispatch.c.reason != "",
    )
    sent = update(dispatch).where(dispatch.c.person_id == chosen, telling)
    if since is not None:
        sent = sent.where(dispatch.c.planned_at > since)
    await counts.run(
        tx,
        "dispatch",
        sent.values(
            to_email=null(),
            to_phone=null(),
            preferred_name=null(),
            facts=literal({}, JSONB()),
            because=literal([], JSONB()),
            reason="",
        ).returning(dispatch.c.person_id),
    )
    await counts.delete(tx, doomed(), ids)
    await _forget_engagement(tx, ids, counts)


async def _forget_unrecognised(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    """Delete what they wrote before anybody knew that it was them: from their address or number."""
    theirs = person_card.c.person_id == one_of(sorted(ids), Uid)
    same = or_(
        conversation.c.email_hash == person_card.c.email_hash,
        conversation.c.phone_hash == person_card.c.phone_hash,
    )
    await counts.run(
        tx,
        conversation.name,
        delete(conversation)
        .where(conversation.c.person_id.is_(None), theirs, same)
        .returning(person_card.c.person_id),
    )


async def _forget_engagement(tx: Tx, ids: Collection[UUID], counts: Counts) -> None:
    """Empty by which network and browser messages were opened; that they were stays, for the figures."""
    engagement = metadata.tables["engagement"]
    await counts.run(
        tx,
        "engagement",
        update(engagement)
        .where(
            engagement.c.message_id == dispatch.c.id,
            dispatch.c.person_id == one_of(sorted(ids), Uid),
            (engagement.c.ip_prefix != "") | (engagement.c.user_agent != ""),
        )
        .values(ip_prefix="", user_agent="")
        .returning(dispatch.c.person_id),
    )
