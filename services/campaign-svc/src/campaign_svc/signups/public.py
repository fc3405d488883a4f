"""The page on which somebody signs up for an event, behind a signed link in a message; with a file for their calendar.

Looking changes nothing. The page names the event and nobody.
"""

from typing import Literal

from fastapi import Form, Request, Response

from campaign_svc.programmes.calendar_file import MEDIA_TYPE, calendar_file
from campaign_svc.programmes.invitations import Invitation, read_token
from campaign_svc.programmes.moments import zone_named
from campaign_svc.programmes.schemas.graph import Content
from campaign_svc.signups import queries, usecases
from campaign_svc.signups.errors import EventOver, InvitationUnknown
from campaign_svc.signups.pages import PAGES
from campaign_svc.signups.schemas import Standing
from campaign_svc.signups.texts import MOMENTS, TEXTS
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import public
from kantis_kit.tx import ReadTx
from kantis_kit.web import Read, Router, Write
from kantis_kit.web.languages import choose_language

router = Router(prefix="/e")
WHY = public("the signed link is the key, and the page shows nothing about its person")
MOST_TOKEN = 200
_ICS = {200: {"content": {MEDIA_TYPE: {}}, "description": "The calendar file"}}


@router.get("/{token}", policy=WHY, response_class=Response)
async def show_event(token: str, request: Request, tx: Read) -> Response:
    """Show what somebody is invited to, in the reader's language and at the time where they live."""
    language = choose_language(request, list(Language), Language.EN)
    try:
        invited = _read(tx, token)
        step = await usecases.event_of(tx, invited)
    except InvitationUnknown:
        return _told(language, "unknown", 404)
    if usecases.is_over(step, tx.clock.now()):
        return _told(language, "over", 410)
    return await _page(tx, invited, step, language, token)


@router.post("/{token}", policy=WHY, response_class=Response)
async def decide(
    token: str,
    request: Request,
    tx: Write,
    decision: Literal["come", "stay_away"] = Form(default="come"),
) -> Response:
    """Sign the person up, or off again; once more changes nothing."""
    language = choose_language(request, list(Language), Language.EN)
    try:
        invited = _read(tx, token)
        if decision == "come":
            await usecases.sign_up(tx, invited, language)
        else:
            await usecases.sign_off(tx, invited)
        step = await usecases.event_of(tx, invited)
    except InvitationUnknown:
        return _told(language, "unknown", 404)
    except EventOver:
        return _told(language, "over", 410)
    await tx.flush()  # what is shown next is read by a statement of its own
    return await _page(tx, invited, step, language, token)


@router.get("/{token}/calendar.ics", policy=WHY, response_class=Response, responses={**_ICS})
async def get_calendar_file(token: str, tx: Read) -> Response:
    """Return the calendar file of the event."""
    invited = _read(tx, token)
    step = await usecases.event_of(tx, invited)
    uid = f"{invited.step}.{invited.programme_id}@kantis"
    file = calendar_file(uid, step, stamped_at=tx.clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{invited.step}.ics"'}
    return Response(file, media_type=MEDIA_TYPE, headers=headers)


def _read(tx: ReadTx, token: str) -> Invitation:
    found = None
    if len(token) <= MOST_TOKEN:
        found = read_token(tx.use(LinkSigner), token, now=tx.clock.now())
    if found is None:
        raise InvitationUnknown("Open the link as it stands in the message")
    return found


async def _page(
    tx: ReadTx, invited: Invitation, step: Content, language: Language, token: str
) -> Response:
    standing = await queries.standing_of(tx, invited)
    zone = zone_named(await queries.zone_of(tx, invited.person_id))
    begins_at = step.begins_at.astimezone(zone) if step.begins_at else tx.clock.now()
    return PAGES.page(
        "event",
        language,
        title=step.title,
        when=f"{begins_at.strftime(MOMENTS[language])} ({zone.key})",
        minutes=step.minutes,
        place=step.place,
        is_coming=standing is Standing.SIGNED_UP,
        sentence=TEXTS[language.value][standing.value],
        calendar=f"{token}/calendar.ics",
    )


def _told(language: Language, word: str, status: int) -> Response:
    texts = TEXTS[language.value]
    return PAGES.page(
        "told", language, status, heading=texts[f"{word}_title"], sentence=texts[word]
    )
