"""The inbox at the API: conversations over all channels, answers, notes, and templates of answers."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor
from kantis_kit.web.router import Router
from kantis_kit.web.state import runtime_of
from kantis_kit.web.uploads import posted_file
from messaging_svc.conversations import queries
from messaging_svc.conversations.errors import MailMissing, MailOfOtherKind
from messaging_svc.conversations.mailbox import account_of
from messaging_svc.conversations.mails import Whole, read_mail
from messaging_svc.conversations.model import State, Way
from messaging_svc.conversations.schemas import (
    AgentIn,
    AnswerIn,
    AssignIn,
    CallIn,
    ChangeIn,
    Clock,
    CloseIn,
    ConversationOut,
    DraftIn,
    DraftOut,
    FiguresOut,
    MergeIn,
    MessageOut,
    NoteIn,
    TakenMail,
    TemplateIn,
    TemplateOut,
)
from messaging_svc.conversations.streams import (
    DESCRIBED,
    HEADERS,
    EventStream,
    Hub,
    follow,
    follow_all,
    last_seen,
    stream_seconds,
)
from messaging_svc.conversations.usecases import answering, desk, drafts, mails, visiting
from messaging_svc.mailboxes.fetching import MAX_MAIL_BYTES
from messaging_svc.mailboxes.queries import list_mailboxes
from messaging_svc.mailboxes.schemas import MailboxOut
from messaging_svc.settings import MessagingSettings

router = Router(prefix="/v1/conversations", tags=["conversations"])
_MAIL_KINDS = ("message/rfc822", "application/octet-stream", "text/plain")
_READ, _WRITE = needs("messaging:read"), needs("messaging:write")
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=2**31 - 1, description="The number behind which to begin")]


@router.get("", policy=_READ)
async def list_conversations(
    tx: Read,
    *,
    state: State | None = None,
    channel: Way | None = None,
    clock: Clock | None = None,
    assignee: Annotated[str | None, Query(max_length=100)] = None,
    is_assigned: bool | None = None,
    person_id: UUID | None = None,
    topic: Annotated[str | None, Query(max_length=60)] = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[ConversationOut]:
    """Return conversations, those that are due first in front; `clock=overdue` shows the breaches."""
    keys = read_cursor(cursor, moment, UUID)
    found = await queries.list_conversations(
        tx,
        state=state,
        channel=channel,
        clock=clock,
        assignee=assignee,
        is_assigned=is_assigned,
        person_id=person_id,
        topic=topic,
        after=(keys[0], keys[1]) if keys else None,
        limit=limit,
    )
    last = found[-1] if len(found) == limit else None
    return Page(
        items=found,
        next_cursor=encode_cursor(last.due_at.isoformat(), last.id) if last else None,
    )


@router.get("/figures", policy=_READ)
async def get_figures(tx: Read) -> FiguresOut:
    """Return how the inbox stands: what is open, near its end, overdue, and how often an answer came too late."""
    return await queries.count_conversations(tx)


@router.get("/stream", policy=_READ, response_class=EventStream, responses=DESCRIBED)
async def stream_all(request: Request, tx: Read) -> Response:
    """Tell when something is new anywhere (server-sent events); read the list then."""
    scope = runtime_of(request).scope
    told = follow_all(scope, tx.use(Hub), seconds=stream_seconds(scope))
    return EventStream(told, headers=HEADERS)


@router.get("/mailboxes", policy=_READ)
async def get_mailboxes(tx: Read) -> list[MailboxOut]:
    """Return the mailbox that people's answers come to: when it was looked into last, and what was wrong."""
    return await list_mailboxes(tx, account_of(tx.settings(MessagingSettings)))


@router.post(
    "/mails",
    policy=_WRITE,
    max_body_size=MAX_MAIL_BYTES,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "From: kari@example.com\n"},
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
async def take_mail(request: Request, tx: Write) -> TakenMail:
    """Take a mail that somebody wrote to us, as it is; the same one again changes nothing."""
    whole = Whole()
    async for part in posted_file(
        request, _MAIL_KINDS, missing=MailMissing, other=MailOfOtherKind()
    ):
        whole.feed(part)
    if not whole.data:
        raise MailMissing("The body is empty; send the mail as it is")
    ours = mails.own_addresses(tx.settings(MessagingSettings))
    return await mails.take_mail(tx, await asyncio.to_thread(read_mail, whole, ours=ours))


@router.post("/calls", policy=_WRITE, status_code=201)
async def note_call(body: CallIn, tx: Write) -> ConversationOut:
    """Note that somebody wants to be called back."""
    received = await visiting.note_call(tx, body)
    return await queries.get_conversation(tx, received.conversation_id)


@router.get("/templates", policy=_READ)
async def list_templates(tx: Read) -> Sequence[TemplateOut]:
    """Return the answers that are given often."""
    return await drafts.list_templates(tx)


@router.post("/templates", policy=_WRITE, status_code=201)
async def add_template(body: TemplateIn, tx: Write) -> TemplateOut:
    """Keep an answer that is given often."""
    return await drafts.get_template(tx, await drafts.add_template(tx, body))


@router.get("/templates/{template_id}", policy=_READ)
async def get_template(template_id: UUID, tx: Read) -> TemplateOut:
    """Return an answer that is given often."""
    return await drafts.get_template(tx, template_id)


@router.put("/templates/{template_id}", policy=_WRITE)
async def change_template(template_id: UUID, body: TemplateIn, tx: Write) -> TemplateOut:
    """Replace the texts of an answer that is given often."""
    await drafts.change_template(tx, template_id, body)
    return await drafts.get_template(tx, template_id)


@router.delete("/templates/{template_id}", policy=_WRITE, status_code=204)
async def remove_template(template_id: UUID, tx: Write) -> None:
    """Drop an answer that is given no longer."""
    await drafts.remove_template(tx, template_id)


@router.get("/{conversation_id}", policy=_READ)
async def get_conversation(conversation_id: UUID, tx: Read, response: Response) -> ConversationOut:
    """Return a conversation; its ETag is what an answer names in If-Match."""
    return await _shown(tx, conversation_id, response)


@router.patch("/{conversation_id}", policy=_WRITE)
async def change_conversation(
    conversation_id: UUID, body: ChangeIn, request: Request, tx: Write, response: Response
) -> ConversationOut:
    """Set the topic, the language, or whose conversation it is."""
    await desk.improve(tx, await _matched(tx, conversation_id, request), body)
    return await _shown(tx, conversation_id, response)


@router.get("/{conversation_id}/messages", policy=_READ)
async def list_messages(
    conversation_id: UUID, tx: Read, after: After = 0, limit: Limit = 100
) -> Page[MessageOut]:
    """Return the messages and notes of a conversation, in order; go on with `after` = the last number."""
    await queries.get_conversation(tx, conversation_id)
    return Page(items=await queries.list_messages(tx, conversation_id, after=after, limit=limit))


@router.get(
    "/{conversation_id}/stream", policy=_READ, response_class=EventStream, responses=DESCRIBED
)
async def stream(conversation_id: UUID, request: Request, tx: Read, after: After = 0) -> Response:
    """Tell what is new in a conversation, as it comes (server-sent events); `Last-Event-ID` goes on from there."""
    await queries.get_conversation(tx, conversation_id)
    scope = runtime_of(request).scope

    async def tell(read: ReadTx, number: int) -> Sequence[MessageOut]:
        return await queries.list_messages(read, conversation_id, after=number, limit=500)

    told = follow(
        scope, tx.use(Hub), conversation_id, tell, after=last_seen(request, after),
        seconds=stream_seconds(scope),
    )  # fmt: skip
    return EventStream(told, headers=HEADERS)


@router.get(
    "/{conversation_id}/files/{file_id}",
    policy=_READ,
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file"}},
)
async def get_file(conversation_id: UUID, file_id: UUID, tx: Read) -> Response:
    """Return an attachment; it is downloaded, never shown in place."""
    found = await queries.get_file(tx, conversation_id, file_id)
    return Response(
        bytes(found.content),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}"},
    )


@router.post("/{conversation_id}/take", policy=_WRITE)
async def take(
    conversation_id: UUID, body: AgentIn, tx: Write, response: Response
) -> ConversationOut:
    """Take a conversation that nobody has; for two hours after the last thing that was done with it."""
    await desk.take(tx, await desk.hold(tx, conversation_id), body.agent or tx.actor)
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/assign", policy=_WRITE)
async def assign(
    conversation_id: UUID, body: AssignIn, tx: Write, response: Response
) -> ConversationOut:
    """Give a conversation to somebody, whoever has it."""
    await desk.assign(tx, await desk.hold(tx, conversation_id), body.assignee)
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/release", policy=_WRITE)
async def release(conversation_id: UUID, tx: Write, response: Response) -> ConversationOut:
    """Let others have a conversation."""
    await desk.release(tx, await desk.hold(tx, conversation_id))
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/notes", policy=_WRITE, status_code=201)
async def note(
    conversation_id: UUID, body: NoteIn, tx: Write, response: Response
) -> ConversationOut:
    """Keep a word that only our own people see."""
    await desk.note(tx, await desk.hold(tx, conversation_id), body.text, body.agent or tx.actor)
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/draft", policy=_READ)
async def draft(conversation_id: UUID, body: DraftIn, tx: Write) -> DraftOut:
    """Fill a template in for the person; nothing is sent."""
    return await drafts.draft(tx, await desk.hold(tx, conversation_id), body, tx.actor)


@router.post("/{conversation_id}/answers", policy=_WRITE, status_code=201)
async def answer(
    conversation_id: UUID, body: AnswerIn, request: Request, tx: Write, response: Response
) -> ConversationOut:
    """Answer the version that was read (If-Match): by mail or SMS through the ledger, in a chat at once."""
    held = await _matched(tx, conversation_id, request)
    await answering.answer(tx, held, body, body.agent or tx.actor)
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/close", policy=_WRITE)
async def close(
    conversation_id: UUID, body: CloseIn, request: Request, tx: Write, response: Response
) -> ConversationOut:
    """Say that nothing more is to be done; a new message opens the conversation again."""
    await desk.close(tx, await _matched(tx, conversation_id, request), body.reason)
    return await _shown(tx, conversation_id, response)


@router.post("/{conversation_id}/merge", policy=_WRITE)
async def merge(
    conversation_id: UUID, body: MergeIn, tx: Write, response: Response
) -> ConversationOut:
    """Let another conversation go on in this one."""
    # In the order of their ids: two merges of the same two do not wait for each other in a circle.
    held = {id_: await desk.hold(tx, id_) for id_ in sorted({conversation_id, body.other_id})}
    await desk.merge(tx, held[conversation_id], held[body.other_id])
    return await _shown(tx, conversation_id, response)


async def _matched(tx: Tx, conversation_id: UUID, request: Request) -> desk.Held:
    held = await desk.hold(tx, conversation_id)
    require_match(request, held.version)
    return held


async def _shown(tx: ReadTx, conversation_id: UUID, response: Response) -> ConversationOut:
    found = await queries.get_conversation(tx, conversation_id)
    response.headers["ETag"] = etag(found.version)
    return found
