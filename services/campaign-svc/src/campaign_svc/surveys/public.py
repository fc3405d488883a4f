"""The page of a survey, behind a signed link in a message.

Whoever holds the link may answer once for its person; the page shows nothing about them.
"""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from campaign_svc.surveys import links, queries, usecases
from campaign_svc.surveys.errors import AnswerInvalid, SurveyClosed, SurveyUnknown
from campaign_svc.surveys.model import Survey
from campaign_svc.surveys.pages import PAGES
from campaign_svc.surveys.schemas import SCALES, AnswerIn, Question, SurveyKind
from campaign_svc.surveys.texts import TEXTS
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import public
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx
from kantis_kit.web import Read, Router, Write
from kantis_kit.web.languages import choose_language

router = Router(prefix="/q")
WHY = public("the signed link is the key, and the page shows nothing about its person")
MOST_TOKEN = 200


@router.get("/{token}", policy=WHY, response_class=Response)
async def show_survey(token: str, request: Request, tx: Read) -> Response:
    """Show the questions in the reader's language; looking changes nothing."""
    language = choose_language(request, list(Language), Language.EN)
    found = await _read(tx, token)
    if found is None:
        return _told(request, language, "unknown")
    survey, _ = found
    if usecases.is_closed(survey, tx.clock.now()):
        return _told(request, language, "closed")
    return await _form(tx, survey, request)


@router.post("/{token}", policy=WHY, response_class=Response)
async def take_answer(token: str, request: Request, tx: Write) -> Response:
    """Keep the answer; a second one of the same person changes nothing."""
    language = choose_language(request, list(Language), Language.EN)
    found = await _read(tx, token)
    if found is None:
        return _told(request, language, "unknown")
    survey, person_id = found
    try:
        given = AnswerIn.model_validate(await _body(request))
        kept = await usecases.answer(tx, survey.id, person_id, given, way="link", language=language)
    except SurveyClosed:
        return _told(request, language, "closed")
    except (ValidationError, AnswerInvalid) as error:
        if _wants_json(request):
            if isinstance(error, AnswerInvalid):
                raise
            raise Invalid(TEXTS[language.value]["missing"]) from error
        return await _form(tx, survey, request, is_refused=True)
    if _wants_json(request):
        return JSONResponse(kept.model_dump(mode="json"), 201 if kept.is_new else 200)
    word = "kept" if kept.is_new or survey.kind == SurveyKind.PANEL else "again"
    if survey.kind == SurveyKind.BETA and kept.seat is None:
        word = "waiting"
    texts = TEXTS[language.value]
    return PAGES.page("told", language, 200, heading=texts["thanks"], sentence=texts[word])


async def _read(tx: ReadTx, token: str) -> tuple[Survey, UUID] | None:
    if len(token) > MOST_TOKEN:
        return None
    named = links.read_token(tx.use(LinkSigner), token, now=tx.clock.now())
    if named is None:
        return None
    try:
        return await queries.get_survey(tx, named[0]), named[1]
    except SurveyUnknown:
        return None


async def _form(
    tx: ReadTx, survey: Survey, request: Request, *, is_refused: bool = False
) -> Response:
    spoken = [one for one in Language if one in survey.titles]
    language = choose_language(request, spoken, Language.EN if Language.EN in spoken else spoken[0])
    questions = [Question.model_validate(one) for one in survey.questions]
    is_panel = survey.kind == SurveyKind.PANEL
    return PAGES.page(
        "form",
        language,
        422 if is_refused else 200,
        title=survey.titles[language.value],
        problem=TEXTS[language.value]["missing"] if is_refused else "",
        questions=[
            {
                "key": one.key,
                "kind": one.kind.value,
                "words": one.words[language],
                "is_required": one.is_required,
                "scale": list(SCALES.get(one.kind, ())),
                "choices": [{"key": c.key, "words": c.words[language]} for c in one.choices],
            }
            for one in questions
        ],
        is_panel=is_panel,
        ideas=await queries.list_ideas(tx, survey.id, with_hidden=False) if is_panel else [],
    )


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = await request.json()
        except ValueError as error:
            raise Invalid("body: this is not JSON") from error
        return body if isinstance(body, dict) else {"body": body}
    form = await request.form(max_files=0, max_fields=300)
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    idea = given.pop("idea", "")
    given.pop("vote", None)
    return {"answers": given, "votes": form.getlist("vote"), "idea": idea}


def _wants_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _told(request: Request, language: Language, word: str) -> Response:
    texts = TEXTS[language.value]
    if _wants_json(request):
        raise (SurveyClosed if word == "closed" else SurveyUnknown)(texts[word])
    status = 410 if word == "closed" else 404
    heading = texts[f"{word}_title"]
    return PAGES.page("told", language, status, heading=heading, sentence=texts[word])
