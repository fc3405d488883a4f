"""Places: saved, filled with versions, and what visitors did with what they saw."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kantis_contracts.contacts import SegmentChange, SegmentChangedV1
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.base import Moment, Uid
from messaging_svc.openings.usecases import WAKE
from messaging_svc.sets import recordset
from messaging_svc.templates.errors import Flaw
from messaging_svc.tracking import usecases as tracking
from messaging_svc.tracking.model import Visitor
from messaging_svc.tracking.queries import find_message
from messaging_svc.web import queries, sql
from messaging_svc.web.errors import ContentInvalid, ContentNotFound, TooManyContents
from messaging_svc.web.evidence import Evidence
from messaging_svc.web.model import (
    web_content,
    web_dismissal,
    web_member,
    web_place,
    web_text,
)
from messaging_svc.web.schemas import Audience, AudienceKind, ContentIn, PlaceIn, SeenIn
from messaging_svc.web.writing import compiled

MOST_CONTENTS = 100
"""Of a place, at a time."""


async def save_place(tx: Tx, key: str, body: PlaceIn) -> None:
    """Make a place, or name it anew."""
    now = tx.clock.now()
    values = {"name": body.name, "default_language": body.default_language.value, "changed_at": now}
    await tx.execute(
        upsert(web_place)
        .values(key=key, created_at=now, **values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )
    tx.audit("places.save", key)


async def add_content(tx: Tx, key: str, body: ContentIn) -> UUID:
    """Have a place show something.

    Raises:
        PlaceNotFound: there is no such place.
        ContentInvalid: a text cannot be shown; with one line per language.
        TooManyContents: the place shows as many things as one may.
    """
    texts = _compiled(body.languages, body.audience)
    await queries.get_place(tx, key)
    standing = await tx.scalar(
        select(func.count())
        .select_from(web_content)
        .where(web_content.c.place_key == key, ~web_content.c.is_off)
    )
    if standing >= MOST_CONTENTS:
        raise TooManyContents(f"It shows {standing} things already; take one away first")
    content_id, now = new_id(), tx.clock.now()
    await tx.execute(
        insert(web_content).values(
            id=content_id, place_key=key, number=1, created_at=now, changed_at=now, **_values(body)
        )
    )
    await _add_texts(tx, content_id, 1, body.languages, texts)
    tx.audit("places.add_content", str(content_id), place=key)
    return content_id


async def change_content(tx: Tx, key: str, content_id: UUID, body: ContentIn) -> None:
    """Change what a place shows; other texts are a new version, and the earlier ones stay.

    Raises:
        ContentNotFound: the place shows no such thing.
        ContentInvalid: a text cannot be shown.
    """
    texts = _compiled(body.languages, body.audience)
    await _lock(tx, key, content_id)
    held = await queries.get_content(tx, key, content_id)
    number = held.number
    said = {language.value: text for language, text in body.languages.items()}
    if said != held.languages or body.audience.kind != held.audience:
        number += 1
        await _add_texts(tx, content_id, number, body.languages, texts)
    await tx.execute(
        update(web_content)
        .where(web_content.c.id == content_id)
        .values(number=number, is_off=False, changed_at=tx.clock.now(), **_values(body))
    )
    tx.audit("places.change_content", str(content_id), number=number)


async def take_away(tx: Tx, key: str, content_id: UUID) -> None:
    """Show something no more; its versions and figures stay.

    Raises:
        ContentNotFound: the place shows no such thing.
    """
    await _lock(tx, key, content_id)
    await tx.execute(
        update(web_content)
        .where(web_content.c.id == content_id)
        .values(is_off=True, changed_at=tx.clock.now())
    )
    tx.audit("places.take_away", str(content_id))


async def _lock(tx: Tx, key: str, content_id: UUID) -> None:
    found = await tx.scalar(
        select(web_content.c.id)
        .where(web_content.c.place_key == key, web_content.c.id == content_id)
        .with_for_update()
    )
    if found is None:
        raise ContentNotFound("The place shows nothing with this id")


def _values(body: ContentIn) -> dict[str, Any]:
    return {
        "name": body.name,
        "audience": body.audience.kind.value,
        "audience_id": body.audience.id,
        "priority": body.priority,
        "valid_from": body.valid_from,
        "valid_to": body.valid_to,
    }


def _compiled(languages: Mapping[Language, str], audience: Audience) -> dict[Language, str]:
    texts: dict[Language, str] = {}
    errors = []
    for language, source in sorted(languages.items()):
        try:
            texts[language] = compiled(source, audience.kind)
        except Flaw as flaw:
            errors.append({"in": "body", "field": f"languages.{language}", "message": str(flaw)})
    if errors:
        raise ContentInvalid(f"{errors[0]['field']}: {errors[0]['message']}", errors=errors)
    return texts


async def _add_texts(
    tx: Tx,
    content_id: UUID,
    number: int,
    sources: Mapping[Language, str],
    texts: Mapping[Language, str],
) -> None:
    await tx.execute(
        insert(web_text),
        [
            {
                "content_id": content_id,
                "number": number,
                "language": language.value,
                "source": sources[language],
                "html": html,
                "saved_by": tx.actor,
                "saved_at": tx.clock.now(),
            }
            for language, html in texts.items()
        ],
    )


async def follow_segment(tx: Tx, event: SegmentChangedV1) -> None:
    """Keep who is in a segment that a place uses; of others nothing is kept. Events come in any order."""
    is_used = select(web_content.c.id).where(
        web_content.c.audience == AudienceKind.SEGMENT.value,
        web_content.c.audience_id == event.segment_id,
    )
    if await tx.scalar(is_used.limit(1)) is None:
        return
    moves = {
        move.person_id: move.change is SegmentChange.ENTERED
        for move in event.items
        if move.person_id is not None
    }
    new = recordset(
        "new",
        [
            {
                "segment_id": event.segment_id,
                "person_id": person_id,
                "revision": event.revision,
                "is_member": moves[person_id],
            }
            for person_id in sorted(moves)
        ],
        segment_id=Uid,
        person_id=Uid,
        revision=BigInteger(),
        is_member=Boolean(),
    )
    names = list(web_member.columns.keys())
    statement = upsert(web_member).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["segment_id", "person_id"],
            set_={name: statement.excluded[name] for name in ("revision", "is_member")},
            where=web_member.c.revision <= statement.excluded.revision,
        )
    )


async def take_seen(tx: Tx, evidence: Evidence, body: SeenIn, visitor: Visitor) -> None:
    """Keep what a visitor did with what they saw; what a launch showed for the first time has reached its person."""
    now = tx.clock.now()
    await tx.execute(
        sql.COUNT,
        {
            "content": evidence.content_id,
            "number": evidence.number,
            "day": now.date(),
            "kind": body.kind,
        },
    )
    if evidence.message_id is not None:
        await _reached(tx, evidence, body, visitor)
    if body.kind == "dismissed" and evidence.person_id is not None:
        await tx.execute(
            upsert(web_dismissal)
            .from_select(
                ["content_id", "person_id", "dismissed_at"],
                select(
                    web_content.c.id, literal(evidence.person_id, Uid), literal(now, Moment)
                ).where(web_content.c.id == evidence.content_id),
            )
            .on_conflict_do_nothing()
        )


async def _reached(tx: Tx, evidence: Evidence, body: SeenIn, visitor: Visitor) -> None:
    message_id = evidence.message_id
    if message_id is None:
        return
    accepted = await tx.scalar(
        sql.ACCEPT,
        {"id": message_id, "now": tx.clock.now(), "reason": f"shown, version {evidence.number}"},
    )
    if accepted is not None:
        await tx.execute(WAKE)
    if body.kind == "shown":
        await tracking.record_opening(tx, message_id, visitor)
    elif body.kind == "clicked":
        message = await find_message(tx, message_id)
        if message is not None:
            await tracking.record_click(tx, message, body.link, visitor)
