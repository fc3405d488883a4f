"""A visitor begins a chat, goes on with it, or asks to be called; without an account, within bounds."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.contact import CONTACT_PURPOSE
from messaging_svc.conversations import queries
from messaging_svc.conversations.desk_hours import is_staffed, wished_moment, zone_named
from messaging_svc.conversations.errors import (
    ChatNotFound,
    NoWayBack,
    PersonNotKnown,
    TextForbidden,
    TooManyMessages,
)
from messaging_svc.conversations.model import Way, conversation
from messaging_svc.conversations.schemas import CallFormIn, CallIn, ChatIn, ChatOut
from messaging_svc.conversations.usecases.receiving import Arrival, Origin, Received, receive
from messaging_svc.links import TrackingTokens
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import number_of

CHAT = "chat"
_CHAT_LIFE = timedelta(days=30)
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_ID_BYTES = 16


async def begin_chat(tx: Tx, body: ChatIn, visitor: str) -> ChatOut:
    """Begin a chat. Where nobody sits at the desk it becomes a mail, or a call, and is answered in that way.

    Raises:
        TextForbidden: a machine filled the form in.
        TooManyMessages: the visitor has begun too many.
        NoWayBack: nobody sits at the desk, and neither address nor number is given.
    """
    hashed = await _admit(tx, body.website, visitor)
    settings = tx.settings(MessagingSettings)
    staffed = is_staffed(settings, tx.clock.now())
    phone = number_of(body.phone) or ""
    channel = Way.CHAT if staffed else Way.EMAIL if body.email else Way.CALL
    if body.phone and not phone:
        raise Invalid("phone: write the number with its country, such as +47 412 34 567")
    if channel is Way.CALL and not phone:
        raise NoWayBack("Nobody sits at the chat now: give an e-mail address or a telephone number")
    who = await _recognise(tx, body.who)
    received = await receive(
        tx,
        Arrival(
            origin=who or Origin(),
            channel=channel,
            source="chat",
            external_id=str(new_id()),
            body=body.text,
            name=body.name,
            email=body.email,
            phone=phone,
            language=body.language,
            visitor_hash=hashed,
        ),
    )
    token = tx.use(LinkSigner).make(
        CHAT, received.conversation_id.bytes, expires_at=tx.clock.now() + _CHAT_LIFE
    )
    base = settings.public_url.rstrip("/")
    return ChatOut(
        token=token,
        page=f"{base}/chat/{token}",
        stream=f"{base}/chat/{token}/stream",
        is_staffed=staffed,
        channel=channel.value,
    )


async def find_chat(tx: ReadTx, token: str) -> UUID:
    """Return the conversation whose visitor has this token.

    Raises:
        ChatNotFound: the token is not ours, or too old, or the conversation is gone.
    """
    payload = tx.use(LinkSigner).read(CHAT, token, now=tx.clock.now())
    if payload is None or len(payload) != _ID_BYTES:
        raise ChatNotFound("This address is not one of a chat of ours, or it is too old")
    return UUID(bytes=payload)


async def go_on(tx: Tx, token: str, text: str) -> Received:
    """Take what the visitor of a chat writes next.

    Raises:
        ChatNotFound: there is no such chat.
        TooManyMessages: it was a lot within a minute.
    """
    conversation_id = await find_chat(tx, token)
    chat = await queries.find_row(tx, conversation_id)
    if chat is None:
        raise ChatNotFound("This chat was deleted")
    most = tx.settings(MessagingSettings).chat_lines_per_minute
    same = conversation.c.id == (chat.merged_into or chat.id)
    if await queries.count_lately(tx, same, within=_MINUTE) >= most:
        raise TooManyMessages(f"At most {most} in a minute", headers={"Retry-After": "30"})
    return await receive(
        tx,
        Arrival(
            channel=Way.CHAT,
            source="chat",
            external_id=str(new_id()),
            body=text,
            name=chat.name,
            conversation_id=conversation_id,
        ),
    )


async def ask_for_call(tx: Tx, body: CallFormIn, visitor: str) -> Received:
    """Take the wish of a visitor to be called, at a time on their own clock.

    Raises:
        TextForbidden: a machine filled the form in.
        TooManyMessages: the visitor has asked too often.
        Invalid: the number or the time is none, or the time has passed.
    """
    hashed = await _admit(tx, body.website, visitor)
    who = await _recognise(tx, body.who)
    card = await queries.find_card(tx, who.person_id) if who and who.person_id else None
    zone = zone_named(
        body.zone, card.time_zone if card else "", tx.settings(MessagingSettings).company_time_zone
    )
    wished = wished_moment(body.day, body.time or "12:00", zone) if body.day else None
    if body.day and wished is None:
        raise Invalid("day: there is no such day or time")
    return await _call(
        tx, body.phone, body.about, wished, who, name=body.name, language=body.language,
        zone=zone.key, visitor_hash=hashed,
    )  # fmt: skip


async def note_call(tx: Tx, body: CallIn) -> Received:
    """Take a wish to be called that one of our people, or another system, has heard.

    Raises:
        PersonNotKnown: there is no card of the person.
        Invalid: the number is none, or the time has passed.
    """
    who = None
    if body.person_id is not None:
        if await queries.find_card(tx, body.person_id) is None:
            raise PersonNotKnown(f"There is no card of the person {body.person_id} here")
        who = Origin(person_id=body.person_id)
    zone = tx.settings(MessagingSettings).company_time_zone
    return await _call(
        tx, body.phone, body.about, body.wished_at, who, name=body.name, language=body.language,
        zone=zone, visitor_hash=None,
    )  # fmt: skip


async def _call(
    tx: Tx, phone: str, about: str, wished: datetime | None, who: Origin | None, **known: Any
) -> Received:
    number = number_of(phone)
    if number is None:
        raise Invalid("phone: write the number with its country, such as +47 412 34 567")
    if wished is not None and wished <= tx.clock.now():
        raise Invalid("day: this time has passed")
    return await receive(
        tx,
        Arrival(
            origin=who or Origin(),
            channel=Way.CALL,
            source="call",
            external_id=str(new_id()),
            body=about,
            phone=number,
            wished_at=wished,
            **known,
        ),
    )


async def _admit(tx: Tx, trap: str, visitor: str) -> bytes:
    """Let a visitor in who is not a machine and has not come too often; return by what they are counted."""
    if trap:
        raise TextForbidden("A field was filled in that people do not see")
    settings = tx.settings(MessagingSettings)
    key = settings.link_keys.get_secret_value().encode()[:64]
    hashed = hashlib.blake2b(visitor.encode(), key=key, digest_size=20).digest()
    most = settings.chat_starts_per_hour
    if await queries.count_starts(tx, hashed, within=_HOUR) >= most:
        raise TooManyMessages(f"At most {most} in an hour", headers={"Retry-After": "600"})
    return hashed


async def language_of(tx: ReadTx, who: str) -> Language | None:
    """Return the language of whom a signed link names."""
    known = await _recognise(tx, who)
    card = await queries.find_card(tx, known.person_id) if known and known.person_id else None
    return Language(card.language) if card else None


async def _recognise(tx: ReadTx, who: str) -> Origin | None:
    """Return who a signed link says the visitor is, and from which message they come; nothing for another one."""
    named = tx.use(TrackingTokens).read("m", who)
    if named is not None:
        sent = await queries.find_sent(tx, named[0], references=(), person_id=None)
        return Origin.of(sent) if sent else None
    payload = tx.use(LinkSigner).read(CONTACT_PURPOSE, who, now=tx.clock.now())
    is_person = payload is not None and len(payload) == _ID_BYTES
    return Origin(person_id=UUID(bytes=payload)) if is_person else None
