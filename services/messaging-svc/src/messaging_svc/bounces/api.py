"""Bounces at the API, and the door through which a mail provider reports them."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import ValidationError

from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import Forbidden, Invalid, NotFound
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from kantis_kit.web.uploads import posted_file
from messaging_svc.bounces import queries, usecases
from messaging_svc.bounces.errors import MailMissing, MailOfOtherKind
from messaging_svc.bounces.mailbox import account_of
from messaging_svc.bounces.model import Category
from messaging_svc.bounces.parsing import Clipping, read_mail
from messaging_svc.bounces.reports import incidents_of
from messaging_svc.bounces.schemas import BounceOut, ReportsIn, Taken, UndoIn
from messaging_svc.mailboxes.fetching import MAX_MAIL_BYTES
from messaging_svc.mailboxes.queries import list_mailboxes
from messaging_svc.mailboxes.schemas import MailboxOut
from messaging_svc.settings import MessagingSettings
from messaging_svc.webhooks import is_secret, is_standard

router = Router(prefix="/v1/bounces", tags=["bounces"])
hooks = Router(prefix="/w/bounces")
_KINDS = ("message/rfc822", "application/octet-stream", "text/plain")


@router.get("", policy=needs("messaging:read"))
async def list_bounces(
    tx: Read,
    *,
    category: Category | None = None,
    person_id: UUID | None = None,
    message_id: UUID | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[BounceOut]:
    """Return what came back, the newest first; `category=policy` shows who does not like our network."""
    found = await queries.list_bounces(
        tx,
        category=category,
        person_id=person_id,
        message_id=message_id,
        after=id_after(cursor),
        limit=limit,
    )
    return page_by_id(found, limit)


@router.get("/mailboxes", policy=needs("messaging:read"))
async def get_mailboxes(tx: Read) -> list[MailboxOut]:
    """Return the mailbox that bounces come to: when it was looked into last, and what was wrong."""
    return await list_mailboxes(tx, account_of(tx.settings(MessagingSettings)))


@router.post("/{bounce_id}/undo", policy=needs("messaging:write"), status_code=204)
async def undo(bounce_id: UUID, body: UndoIn, tx: Write) -> None:
    """Take back what a bounce has done; its evidence stays."""
    await usecases.undo(tx, bounce_id, reason=body.reason)


@router.post(
    "/raw",
    policy=needs("messaging:write"),
    max_body_size=MAX_MAIL_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "From: MAILER-DAEMON\n"},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def take_mail(request: Request, tx: Write) -> Taken:
    """Take a mail that came back, as it is: a report, a complaint, or what a server writes in its own way."""
    clipping = Clipping()
    async for part in posted_file(request, _KINDS, missing=MailMissing, other=MailOfOtherKind()):
        clipping.feed(part)
    if not clipping.head:
        raise MailMissing("The body is empty; send the mail as it is")
    signer, now = tx.use(LinkSigner), tx.clock.now()
    incidents = await asyncio.to_thread(read_mail, clipping, signer, now=now)
    categories = await usecases.take(tx, incidents)
    return Taken(new=len(categories), categories=[one.value for one in categories])


@hooks.post("/{secret}", policy=public("the secret in the address and a signature stand for a key"))
async def take_reports(secret: str, request: Request, tx: Write) -> Response:
    """Take what a mail provider reports: bounces, complaints, deliveries."""
    settings, now = tx.settings(MessagingSettings), tx.clock.now()
    if not is_secret(secret, settings.bounce_secret.get_secret_value()):
        raise NotFound("There is no such page")
    body = await request.body()
    key = settings.bounce_signing_key.get_secret_value()
    headers = {name.lower(): value for name, value in request.headers.items()}
    if key and not is_standard(headers, body, key, now=now):
        raise Forbidden("The signature is missing, wrong, or more than five minutes old")
    try:
        told = ReportsIn.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from error
    await usecases.take_reports(tx, incidents_of(told, tx.use(LinkSigner), now=now))
    return Response(status_code=200)
