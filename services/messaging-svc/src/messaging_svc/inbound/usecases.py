"""Take messages that came in: act on what is beyond doubt, and leave the rest to a person."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Channel, Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.addresses import phone_hash
from messaging_svc.conversations.model import Way
from messaging_svc.conversations.usecases import receiving as conversing
from messaging_svc.dispatch.replies import TextReply, plan_replies
from messaging_svc.inbound import events, queries
from messaging_svc.inbound.answers import answer, language_for
from messaging_svc.inbound.errors import (
    KeywordInvalid,
    KeywordNotFound,
    KeywordTaken,
)
from messaging_svc.inbound.model import SOURCE, inbound_message, keyword, vote
from messaging_svc.inbound.queries import Owner
from messaging_svc.inbound.schemas import KeywordIn, KeywordOut
from messaging_svc.inbound.words import is_reserved, is_small_talk, meaning_of, words_of
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import Received, number_of
from messaging_svc.tracking import usecases as tracking
from messaging_svc.tracking.model import suppression

STOPPED_BY_TEXT = "stopped by a text message"
MOST_ANSWERS_A_DAY = 10
"""Of a number that writes more often, nothing is answered by itself: it may be a machine that answers ours."""
_FOR_A_PERSON = frozenset({"other", "order", "inquiry"})
_LONGEST_KEYWORD = 3
_LONGEST_TEXT = 2_000


@dataclass(slots=True)
class _Read:
    """A message, and what it was taken for."""

    received: Received
    hashed: bytes
    owners: list[Owner]
    kind: str = "other"
    tongue: str = ""
    note: str = ""
    keyword: KeywordOut | None = None
    id: UUID = field(default_factory=new_id)

    @property
    def language(self) -> Language:
        """Return in which language they are answered."""
        return language_for(self.tongue, self.owners[0].language if self.owners else "")

    @property
    def person_id(self) -> UUID | None:
        """Return who wrote, where only one person has the number."""
        return self.owners[0].person_id if len(self.owners) == 1 else None


async def take(tx: Tx, provider: str, received: Sequence[Received]) -> int:
    """Keep messages that are new, and act on them; return how many were new.

    A STOP is in force here when this is committed, before the provider is answered.
    """
    if not received:
        return 0
    hashes = {one: phone_hash(number_of(one.sender) or one.sender) for one in received}
    owners = await queries.find_owners(tx, set(hashes.values()))
    read = [_Read(one, hashed, owners.get(hashed, [])) for one, hashed in hashes.items()]
    await _understand(tx, read)
    fresh = await _keep(tx, provider, read)
    # In the order of the persons, as everybody locks them.
    for one in sorted(fresh, key=lambda one: [owner.person_id for owner in one.owners]):
        await _act(tx, one)
    waiting = await _begin_conversations(tx, fresh)
    tx.stage(events.replies_received((_row(provider, one), waiting.get(one.id)) for one in fresh))
    return len(fresh)


async def _begin_conversations(tx: Tx, fresh: Sequence[_Read]) -> dict[UUID, conversing.Received]:
    """Leave to the inbox what waits for a person."""
    waiting = {}
    for one in sorted(fresh, key=lambda one: one.hashed):
        if one.kind not in _FOR_A_PERSON:
            continue
        waiting[one.id] = await conversing.receive(
            tx,
            conversing.Arrival(
                channel=Way.SMS,
                source=SOURCE,
                external_id=str(one.id),
                body=one.received.text[:_LONGEST_TEXT],
                phone=number_of(one.received.sender) or one.received.sender[:32],
                origin=conversing.Origin(one.person_id),
                language=one.language,
                topic=one.keyword.word if one.keyword else one.note,
                is_told=True,
            ),
        )
    return waiting


async def _understand(tx: Tx, read: Sequence[_Read]) -> None:
    beginnings = {one.id: _beginnings(one.received.text) for one in read}
    keywords = await queries.find_keywords(tx, {w for words in beginnings.values() for w in words})
    for one in read:
        meaning = meaning_of(
            one.received.text, language=one.owners[0].language if one.owners else ""
        )
        one.tongue = meaning.language
        found = next((keywords[w] for w in beginnings[one.id] if w in keywords), None)
        if meaning.kind == "stop":
            one.kind = "stop"
        elif found is not None and _fits(found, one.received.text):
            one.kind, one.keyword = found.action, found
        elif meaning.kind in ("start", "help"):
            one.kind = meaning.kind
        elif meaning.kind == "unclear":
            one.note = "may be a STOP: read it first"


def _beginnings(text: str) -> list[str]:
    """Return the beginnings of a text that can be a keyword, the longest first."""
    words = words_of(text)
    most = min(len(words), _LONGEST_KEYWORD)
    return [" ".join(words[:count]) for count in range(most, 0, -1)]


def _fits(found: KeywordOut, text: str) -> bool:
    """A vote says nothing else; with an order or a question people may go on."""
    rest = words_of(text)[len(found.word.split()) :]
    return found.action != "vote" or is_small_talk(rest)


async def _keep(tx: Tx, provider: str, read: Sequence[_Read]) -> list[_Read]:
    rows = {(row := _row(provider, one))["provider_id"]: row for one in read}
    stored = set(
        await tx.scalars(
            insert(inbound_message)
            .values([rows[name] for name in sorted(rows)])
            .on_conflict_do_nothing(index_elements=["provider", "provider_id"])
            .returning(inbound_message.c.id)
        )
    )
    return [one for one in read if one.id in stored]


def _row(provider: str, one: _Read) -> dict[str, Any]:
    told = one.received
    return {
        "id": one.id,
        "channel": Channel.SMS.value,
        "provider": provider,
        "provider_id": told.provider_id[:200] or _name_of(told),
        "from_phone": (number_of(told.sender) or told.sender)[:32],
        "from_hash": one.hashed,
        "to_number": told.to[:32],
        "body": told.text[:_LONGEST_TEXT],
        "person_id": one.person_id,
        "kind": one.kind,
        "language": one.language.value,
        "keyword": one.keyword.word if one.keyword else "",
        "option": one.keyword.option if one.keyword else "",
        "is_open": one.kind in _FOR_A_PERSON,
        "note": one.note,
        "received_at": told.received_at,
    }


def _name_of(told: Received) -> str:
    """Return a name for a message to which the provider gives none."""
    said = f"{told.sender}|{told.to}|{told.received_at.isoformat()}|{told.text}"
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


async def _act(tx: Tx, one: _Read) -> None:
    settings = tx.settings(MessagingSettings)
    words = {"company": settings.company, "option": one.keyword.option if one.keyword else ""}
    text = answer(one.kind, one.language, link="{link}", **words)
    if one.kind == "stop":
        await _stop(tx, one)
        text = text if settings.sms_confirms_stop else ""
    elif one.kind == "start":
        await _lift(tx, one.hashed)
        # A yes is given on the person's own page, where it says to what: a word by text message proves too little.
        link = tx.use(LinkMaker).preferences(one.person_id) if one.person_id else ""
        text = text.replace("{link}", link) if link else ""
    elif one.kind == "vote" and one.keyword:
        await _count_vote(tx, one, one.keyword)
    if one.keyword and one.keyword.answer:
        text = one.keyword.answer.get(one.language) or next(iter(one.keyword.answer.values()))
    await _answer(tx, one, text)


async def _stop(tx: Tx, one: _Read) -> None:
    """Take the no of everybody who has the number; of a number that nobody has, the number itself."""
    for owner in one.owners:
        await tracking.stop_channel(tx, owner.person_id, Channel.SMS, source="reply")
    if not one.owners:
        await tracking.suppress_hashes(tx, [one.hashed], "objection", STOPPED_BY_TEXT)


async def _lift(tx: Tx, hashed: bytes) -> None:
    """Forget the no that a number gave before we knew whose it is."""
    await tx.execute(
        delete(suppression).where(
            suppression.c.address_hash == hashed,
            suppression.c.reason == "objection",
            suppression.c.note == STOPPED_BY_TEXT,
        )
    )


async def _count_vote(tx: Tx, one: _Read, found: KeywordOut) -> None:
    """Count a vote; of somebody who votes again the last one counts, whatever the order of the news."""
    voter = str(one.person_id) if one.person_id else one.hashed.hex()
    new = insert(vote).values(
        poll=found.poll,
        voter=voter,
        person_id=one.person_id,
        option=found.option,
        inbound_id=one.id,
        voted_at=one.received.received_at,
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["poll", "voter"],
            set_={name: new.excluded[name] for name in ("option", "inbound_id", "voted_at")},
            where=vote.c.voted_at < new.excluded.voted_at,
        )
    )


async def _answer(tx: Tx, one: _Read, text: str) -> None:
    number = number_of(one.received.sender)
    if not text or number is None:
        return
    if await queries.count_lately(tx, one.hashed, tx.clock.now()) > MOST_ANSWERS_A_DAY:
        return
    await plan_replies(tx, [TextReply(one.id, one.person_id, number, one.language.value, text)])


async def add_keyword(tx: Tx, body: KeywordIn) -> UUID:
    """Give a word a meaning.

    Raises:
        KeywordInvalid: it has no words, too many, or a vote lacks its poll.
        KeywordTaken: it is in use, or means stop or start.
    """
    words = words_of(body.word)
    if not 1 <= len(words) <= _LONGEST_KEYWORD:
        raise KeywordInvalid(f"word: one to {_LONGEST_KEYWORD} words of letters and digits")
    if (body.action == "vote") != bool(body.poll and body.option) or (
        body.action != "vote" and (body.poll or body.option)
    ):
        raise KeywordInvalid("poll and option: a vote has both, everything else has neither")
    if is_reserved(words):
        raise KeywordTaken("It means stop or start, whatever else is agreed on")
    keyword_id = new_id()
    stored = await tx.scalar(
        insert(keyword)
        .values(
            word=" ".join(words),
            id=keyword_id,
            action=body.action,
            poll=body.poll,
            option=body.option,
            answer={language.value: text for language, text in body.answer.items()},
            created_at=tx.clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(keyword.c.id)
    )
    if stored is None:
        raise KeywordTaken("It is in use; delete the other keyword first")
    return keyword_id


async def remove_keyword(tx: Tx, keyword_id: UUID) -> None:
    """Take a word's meaning away; votes that were counted stay.

    Raises:
        KeywordNotFound: there is no such keyword.
    """
    removed = await tx.scalar(
        delete(keyword).where(keyword.c.id == keyword_id).returning(keyword.c.id)
    )
    if removed is None:
        raise KeywordNotFound("No keyword has this id")
