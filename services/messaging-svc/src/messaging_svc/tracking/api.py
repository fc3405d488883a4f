"""Addresses that stand in delivered mail (`/c`, `/o`, `/u`), and the suppression list."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import NotFound
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from messaging_svc.links import (
    NOBODY,
    TEST_PAGE,
    LinkMaker,
    TrackingTokens,
    Unsubscribe,
    unpack_unsubscribe,
)
from messaging_svc.settings import MessagingSettings
from messaging_svc.tracking import queries, usecases
from messaging_svc.tracking.answers import MOST_FIELDS, read_noes
from messaging_svc.tracking.pages import HEADERS, PIXEL, page_of_a_test, unsubscribe_page
from messaging_svc.tracking.schemas import (
    Suppressed,
    SuppressionAnswer,
    SuppressionIn,
    SuppressionOut,
    SuppressionQuestion,
)
from messaging_svc.tracking.visiting import visitor_of

NO_SUCH_LINK = "This link is not one of ours, or it is incomplete"
_IN_MAIL = "stands in delivered mail; the token names the message"
_STAMP_LIFE = timedelta(hours=1)
_ID_BYTES = 16

clicks = Router(prefix="/c")
openings = Router(prefix="/o")
unsubscribing = Router(prefix="/u")
suppressions = Router(prefix="/v1/suppressions", tags=["suppressions"])


@clicks.head("/{token}", policy=public(_IN_MAIL))
@clicks.get("/{token}", policy=public(_IN_MAIL))
async def follow_link(token: str, request: Request, tx: Write) -> Response:
    """Record the click and lead on to where the link of the message leads."""
    named = tx.use(TrackingTokens).read("c", token)
    if named is None:
        raise NotFound(NO_SUCH_LINK)
    if named[1] == TEST_PAGE:
        return await _test(tx, named[0])
    target = await usecases.follow_link(tx, *named, visitor_of(request.scope))
    if target is None:
        raise NotFound(NO_SUCH_LINK)
    return Response(status_code=302, headers={"Location": target, "X-Robots-Tag": "noindex"})


async def _test(tx: ReadTx, message_id: UUID) -> Response:
    """Show what stands for a recipient's own page; looking at it is not kept."""
    message = await queries.find_message(tx, message_id)
    if message is None or message.origin != "test":
        raise NotFound(NO_SUCH_LINK)
    language = Language(message.language)
    return Response(
        page_of_a_test(language),
        media_type="text/html",
        headers={**HEADERS, "Content-Language": language.value, "X-Robots-Tag": "noindex"},
    )


@openings.head("/{token}", policy=public(_IN_MAIL))
@openings.get("/{token}", policy=public(_IN_MAIL))
async def record_opening(token: str, request: Request, tx: Write) -> Response:
    """Record that the message was shown; answer with one transparent point."""
    named = tx.use(TrackingTokens).read("o", token)
    if named is None:
        raise NotFound(NO_SUCH_LINK)
    await usecases.record_opening(tx, named[0], visitor_of(request.scope))
    return Response(PIXEL, media_type="image/gif")


def _unsubscribe(token: str, tx: ReadTx) -> Unsubscribe:
    payload = tx.use(LinkSigner).read("unsubscribe", token, now=tx.clock.now())
    link = unpack_unsubscribe(payload) if payload else None
    if link is None:
        raise NotFound(NO_SUCH_LINK)
    return link


async def _page(tx: ReadTx, link: Unsubscribe, *, done: bool) -> Response:
    language = await queries.language_of(tx, link.person_id)
    preferences = tx.use(LinkMaker).preferences(link.person_id) if link.person_id else None
    company = tx.settings(MessagingSettings).company
    return Response(
        unsubscribe_page(
            language,
            company,
            done=done,
            preferences=preferences,
            is_test=link.person_id is None,
        ),
        media_type="text/html",
        headers={**HEADERS, "Content-Language": language.value},
    )


@unsubscribing.get("/{token}", policy=public(_IN_MAIL))
async def show_unsubscribe(token: str, tx: Read) -> Response:
    """Ask whether the person wants to unsubscribe; changes nothing, whoever opens it."""
    return await _page(tx, _unsubscribe(token, tx), done=False)


@unsubscribing.post("/{token}", policy=public(_IN_MAIL))
async def unsubscribe(token: str, request: Request, tx: Write) -> Response:
    """Take the no, from a mail program's one click (RFC 8058, either encoding) or from the page's buttons.

    Committed here, where the sending happens, before it is answered.
    """
    link = _unsubscribe(token, tx)
    # Whatever the body says, a POST to this address is a no; the body only tells how it was said.
    body = await request.body()
    await usecases.withdraw(
        tx,
        link,
        source="one_click" if b"One-Click" in body else "page",
        every_purpose=b"choice=all" in body,
    )
    return await _page(tx, link, done=True)


@unsubscribing.post(
    "/preferences/{token}", policy=public("the form of a page that a signed link opened")
)
async def take_preferences(token: str, request: Request, tx: Write) -> Response:
    """Take the noes of a person's preference page, and send the browser on with the form as it is (307).

    Committed here, where the sending happens, before contacts-svc sees the form: there the yeses and the other wishes are
    kept, and the page is shown. The stamp on its address says that the noes hold.
    """
    signer, now = tx.use(LinkSigner), tx.clock.now()
    payload = signer.read("preferences", token, now=now)
    if payload is None or len(payload) != _ID_BYTES:
        raise NotFound(NO_SUCH_LINK)
    person_id = UUID(bytes=payload)
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    sent = {name: value for name, value in form.items() if isinstance(value, str)}
    if person_id != NOBODY:
        await usecases.take_noes(tx, person_id, read_noes(sent))
    stamp = signer.make("held", payload, expires_at=now + _STAMP_LIFE)
    asked = request.query_params.get("lang", "")
    query = urlencode({"held": stamp, **({"lang": asked} if asked else {})})
    return RedirectResponse(f"/p/preferences/{token}?{query}", status_code=307)


@suppressions.post("", policy=needs("messaging:write"))
async def suppress(body: SuppressionIn, tx: Write) -> Suppressed:
    """Never send marketing to these addresses again; only their hashes are kept."""
    added = await usecases.suppress(tx, body.emails, body.reason, body.note)
    return Suppressed(added=added, already=len(body.emails) - added)


@suppressions.get("", policy=needs("messaging:read"))
async def list_suppressions(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[SuppressionOut]:
    """Return the suppression list."""
    found = await queries.list_suppressions(tx, after=id_after(cursor), limit=limit)
    return page_by_id(found, limit)


@suppressions.post("/check", policy=needs("messaging:read"))
async def check_suppression(body: SuppressionQuestion, tx: Read) -> SuppressionAnswer:
    """Say whether an address is on the list; it is asked in the body, so that it stands in no log of addresses."""
    found = await queries.find_suppression(tx, body.email)
    return SuppressionAnswer(is_suppressed=found is not None, suppression=found)


@suppressions.delete(
    "/{suppression_id}", policy=needs("messaging:write", privileged=True), status_code=204
)
async def lift_suppression(suppression_id: UUID, tx: Write) -> None:
    """Take an address off the list."""
    await usecases.lift_suppression(tx, suppression_id)
