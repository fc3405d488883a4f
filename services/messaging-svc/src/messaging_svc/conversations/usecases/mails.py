"""A mail comes in: it is matched to the message that it answers, else to who writes, and becomes a conversation."""

from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash
from messaging_svc.conversations import queries
from messaging_svc.conversations.mails import Posted
from messaging_svc.conversations.model import Way, conversation
from messaging_svc.conversations.schemas import RefusedOut, TakenMail
from messaging_svc.conversations.usecases.receiving import Arrival, Origin, receive
from messaging_svc.settings import MessagingSettings
from messaging_svc.verp import message_named_by

_DAY = timedelta(days=1)


def own_addresses(settings: MessagingSettings) -> list[str]:
    """Return the addresses from which nobody but us writes."""
    told = (parseaddr(settings.mail_from)[1], settings.reply_address, settings.bounce_address)
    return [one for one in told if one]


async def take_mail(tx: Tx, posted: Posted) -> TakenMail:
    """Take a mail that was read; what a machine wrote, we ourselves among them, is no conversation.

    Nothing is answered by itself. Of an address that writes more often than a person does, no more is kept: two machines
    that answer each other come to an end.
    """
    if posted.author == "nobody":
        return TakenMail(outcome="unreadable")
    if posted.author != "person":
        return TakenMail(outcome="own" if posted.author == "own" else "automatic")
    settings = tx.settings(MessagingSettings)
    hashed = address_hash(posted.email)
    lately = await queries.count_lately(tx, conversation.c.email_hash == hashed, within=_DAY)
    if lately >= settings.mails_per_day:
        return TakenMail(outcome="too_many")
    owner = await queries.find_owner(tx, email_hash=hashed, phone_hash=None)
    named = message_named_by(posted.addressed, tx.use(LinkSigner), now=tx.clock.now())
    sent = await queries.find_sent(tx, named, references=posted.references, person_id=owner)
    received = await receive(
        tx,
        Arrival(
            channel=Way.EMAIL,
            source="mail",
            external_id=f"{posted.message_id}|{posted.email.casefold()}",
            body=posted.text,
            subject=posted.subject,
            name=posted.name,
            email=posted.email,
            origin=_origin(owner, sent),
            language=posted.language if owner is None else None,
            conversation_id=await _thread(tx, posted, sent),
            rfc_message_id=posted.message_id,
            files=posted.files,
        ),
    )
    return TakenMail(
        outcome="conversation" if received.is_new else "known",
        conversation_id=received.conversation_id,
        message_id=received.message_id,
        refused=[
            RefusedOut(name=one.name, kind=one.kind, size_bytes=one.size_bytes, reason=one.refused)
            for one in posted.files
            if one.refused
        ],
    )


def _origin(owner: UUID | None, sent: Row[Any] | None) -> Origin:
    """Return who writes: whoever has the address, else the one who got what is answered."""
    told = Origin.of(sent) if sent is not None else Origin()
    return replace(told, person_id=owner) if owner is not None else told


async def _thread(tx: Tx, posted: Posted, sent: Row[Any] | None) -> UUID | None:
    """Return the conversation in which the mail goes on: by our answer that it names, else by the mails before it."""
    if sent is not None and sent.origin == "reply":
        found = await queries.find_by_message(tx, sent.origin_id)
        if found is not None:
            return found
    return await queries.find_by_mail(tx, posted.references)
