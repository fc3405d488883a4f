"""A message comes in, from whatever channel: it goes on with a conversation, or begins one, and an answer is due."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.values import Language
from kantis_kit.calendar import WORKING_DAYS, answer_due_at
from kantis_kit.db.aliases import resolve
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash, phone_hash
from messaging_svc.aliases import person_alias
from messaging_svc.conversations import events, queries
from messaging_svc.conversations.model import (
    NOTIFY_CHANNEL,
    Attachment,
    Direction,
    State,
    Way,
    conversation,
    conversation_file,
    conversation_message,
)
from messaging_svc.settings import MessagingSettings

GOES_ON_FOR = timedelta(days=30)
"""Who writes from the same address after a longer silence begins something new."""
CALL_WARNING = timedelta(minutes=30)
_LANGUAGES = {"NO": "nb", "SE": "sv", "DK": "da", "FI": "fi"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes, as far as they are recognised, and the message of ours that they answer."""

    person_id: UUID | None = None
    answers_id: UUID | None = None
    campaign_id: UUID | None = None
    campaign_name: str = ""

    @classmethod
    def of(cls, sent: Row[Any]) -> "Origin":
        """Return the recipient of a message of ours."""
        return cls(sent.person_id, sent.id, sent.campaign_id, sent.campaign_name or "")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came in, and what is known of who wrote it."""

    channel: Way
    source: str
    external_id: str
    """What makes a message that comes twice one message."""
    body: str
    subject: str = ""
    topic: str = ""
    """For whom among us it is, where that is known."""
    name: str = ""
    email: str = ""
    phone: str = ""
    origin: Origin = field(default_factory=Origin)
    language: Language | None = None
    conversation_id: UUID | None = None
    """Where it belongs, when that is known; else it is found by who writes."""
    rfc_message_id: str = ""
    files: Sequence[Attachment] = field(default_factory=tuple)
    wished_at: datetime | None = None
    zone: str = ""
    visitor_hash: bytes | None = None
    is_told: bool = False
    """Whether others have been told of it already, by who took it in."""

    @property
    def address(self) -> str:
        """Where it came from."""
        return self.phone if self.channel in (Way.SMS, Way.CALL) else self.email

    @property
    def who(self) -> str:
        """A name under which whoever writes at the same time meets."""
        return str(self.origin.person_id or self.email.casefold() or self.phone or self.external_id)


@dataclass(frozen=True, slots=True)
class Received:
    """Where a message that came in stands; `opens` when an answer was not due before."""

    conversation_id: UUID
    message_id: UUID
    is_new: bool
    opens: bool


async def receive(tx: Tx, arrival: Arrival) -> Received:
    """Take a message; the same one again changes nothing.

    A closed conversation opens again. The second working day counts from the first message that is not answered yet.
    """
    # Who delivers the same message twice at once, or two of one person, waits: nothing is doubled.
    await _wait_for_turn(tx, f"{arrival.source}|{arrival.external_id}")
    known = await _find_known(tx, arrival)
    if known is not None:
        return Received(known.conversation_id, known.id, is_new=False, opens=False)
    await _wait_for_turn(tx, arrival.who)
    row = await _find_conversation(tx, arrival)
    if row is None:
        row, opens = await _begin(tx, arrival), True
    else:
        opens = row.state != State.OPEN
    message_id = await _write(tx, row, arrival)
    await _turn(tx, row, arrival, opens=opens)
    await wake(tx, row.id)
    if not arrival.is_told:
        tx.stage(
            events.reply_received(
                reply_id=message_id,
                person_id=row.person_id,
                channel=arrival.channel,
                kind="inquiry",
                conversation_id=row.id,
                opens=opens,
                answers_id=row.answers_id,
                campaign_id=row.campaign_id,
                at=tx.clock.now(),
            )
        )
    return Received(row.id, message_id, is_new=True, opens=opens)


async def wake(tx: Tx, conversation_id: UUID) -> None:
    """Tell whoever looks at the conversation, in whatever process, when this commits."""
    await tx.execute(select(func.pg_notify(NOTIFY_CHANNEL, str(conversation_id))))


async def _wait_for_turn(tx: Tx, name: str) -> None:
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def lock(tx: Tx, conversation_id: UUID) -> Row[Any] | None:
    """Lock a conversation, the one in which it goes on when it was merged; None when there is none."""
    row = None
    wanted: UUID | None = conversation_id
    while wanted is not None:
        found = select(conversation).where(conversation.c.id == wanted).with_for_update()
        row = (await tx.execute(found)).first()
        wanted = row.merged_into if row is not None else None
    return row


async def _find_known(tx: Tx, arrival: Arrival) -> Row[Any] | None:
    return (
        await tx.execute(
            select(conversation_message.c.id, conversation_message.c.conversation_id).where(
                conversation_message.c.source == arrival.source,
                conversation_message.c.external_id == arrival.external_id,
            )
        )
    ).first()


async def _find_conversation(tx: Tx, arrival: Arrival) -> Row[Any] | None:
    if arrival.conversation_id is not None:
        return await lock(tx, arrival.conversation_id)
    if arrival.channel is Way.CHAT:
        return None
    same = [conversation.c.channel == arrival.channel.value]
    if arrival.origin.person_id is not None:
        same.append(conversation.c.person_id == arrival.origin.person_id)
    elif arrival.channel is Way.EMAIL:
        same.append(conversation.c.email_hash == address_hash(arrival.email))
    else:
        same.append(conversation.c.phone_hash == phone_hash(arrival.phone))
    if arrival.channel is Way.EMAIL:
        same.append(func.lower(conversation.c.subject) == bare_subject(arrival.subject).lower())
    found = await tx.scalar(
        select(conversation.c.id)
        .where(
            *same,
            conversation.c.merged_into.is_(None),
            conversation.c.state != State.CLOSED.value,
            conversation.c.last_at > tx.clock.now() - GOES_ON_FOR,
        )
        .order_by(conversation.c.last_at.desc())
        .limit(1)
    )
    return await lock(tx, found) if found is not None else None


async def _begin(tx: Tx, arrival: Arrival) -> Row[Any]:
    now, settings = tx.clock.now(), tx.settings(MessagingSettings)
    came_as = arrival.origin.person_id
    leads = await resolve(tx, person_alias, [came_as])
    known = leads.get(came_as, came_as) if came_as else None
    card = await queries.find_card(tx, known) if known else None
    # Who was erased, or is not known here, is nobody: what they write is kept under the address that they gave.
    person_id = known if card else None
    country = card.country if card else settings.company_country
    language = arrival.language or (card.language if card else _LANGUAGES.get(country, "en"))
    email = arrival.email or (card.email or "" if card else "")
    phone = arrival.phone or (card.phone or "" if card else "")
    stored = await tx.execute(
        insert(conversation)
        .values(
            id=new_id(),
            person_id=person_id,
            merged_id=came_as if person_id and person_id != came_as else None,
            name=arrival.name or (card.preferred_name if card else ""),
            email=email,
            phone=phone,
            email_hash=address_hash(email) if email else None,
            phone_hash=phone_hash(phone) if phone else None,
            channel=arrival.channel.value,
            subject=bare_subject(arrival.subject),
            topic=arrival.topic,
            language=language,
            country=country,
            answers_id=arrival.origin.answers_id,
            campaign_id=arrival.origin.campaign_id,
            campaign_name=arrival.origin.campaign_name,
            state=State.OPEN.value,
            assignee="",
            due_at=now,
            warn_at=now,
            breaches=0,
            wished_at=arrival.wished_at,
            zone=arrival.zone,
            close_reason="",
            closed_by="",
            last_number=0,
            version=0,
            visitor_hash=arrival.visitor_hash,
            created_at=now,
            last_at=now,
        )
        .returning(conversation)
    )
    return stored.one()


async def _write(tx: Tx, row: Row[Any], arrival: Arrival) -> UUID:
    message_id = new_id()
    await tx.execute(
        insert(conversation_message).values(
            id=message_id,
            conversation_id=row.id,
            number=row.last_number + 1,
            direction=Direction.IN.value,
            channel=arrival.channel.value,
            author=arrival.name,
            address=arrival.address,
            subject=arrival.subject,
            body=arrival.body,
            rfc_message_id=arrival.rfc_message_id,
            source=arrival.source,
            external_id=arrival.external_id,
            refused=[
                {
                    "name": one.name,
                    "kind": one.kind,
                    "size_bytes": one.size_bytes,
                    "reason": one.refused,
                }
                for one in arrival.files
                if one.refused
            ],
            written_at=tx.clock.now(),
        )
    )
    kept = [
        {
            "id": new_id(), "message_id": message_id, "name": one.name, "kind": one.kind,
            "size_bytes": one.size_bytes, "content": one.content,
        }
        for one in arrival.files
        if not one.refused
    ]  # fmt: skip
    if kept:
        await tx.execute(insert(conversation_file).values(kept))
    return message_id


async def _turn(tx: Tx, row: Row[Any], arrival: Arrival, *, opens: bool) -> None:
    now = tx.clock.now()
    values: dict[str, Any] = {
        "channel": arrival.channel.value,
        "last_number": row.last_number + 1,
        "version": row.version + 1,
        "last_at": now,
    }
    if opens:
        values |= {
            "state": State.OPEN.value,
            "due_at": answer_due_at(now, row.country),
            "warn_at": answer_due_at(now, row.country, working_days=WORKING_DAYS - 1),
            "close_reason": "",
            "closed_by": "",
            "closed_at": None,
        }
    if arrival.wished_at is not None and arrival.wished_at > now:
        values |= {
            "wished_at": arrival.wished_at,
            "zone": arrival.zone,
            "due_at": arrival.wished_at,
            "warn_at": arrival.wished_at - CALL_WARNING,
        }
    if not row.email and arrival.email:
        values |= {"email": arrival.email, "email_hash": address_hash(arrival.email)}
    if not row.phone and arrival.phone:
        values |= {"phone": arrival.phone, "phone_hash": phone_hash(arrival.phone)}
    await tx.execute(update(conversation).where(conversation.c.id == row.id).values(**values))


def bare_subject(subject: str) -> str:
    """Return a subject without the prefixes that answers and forwarded mails get in every language."""
    rest = " ".join(subject.split())
    while True:
        head, colon, tail = rest.partition(":")
        if not colon or head.strip().casefold() not in _PREFIXES:
            return rest
        rest = tail.strip()


_PREFIXES = frozenset({"re", "sv", "vs", "antw", "aw", "fw", "fwd", "vb", "vl", "vedr"})
