"""Surveys: questions, links to answer them by, answers, figures, ideas."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from campaign_svc.surveys import queries, usecases
from campaign_svc.surveys.schemas import (
    AnsweredOut,
    AnswerOfIn,
    AnswerOut,
    IdeaOut,
    IdeaPatch,
    LinkOut,
    LinksIn,
    ResultsOut,
    SurveyIn,
    SurveyOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/surveys", tags=["surveys"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")
Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post("", policy=WRITE, status_code=201)
async def make_survey(body: SurveyIn, tx: Write) -> SurveyOut:
    """Make a survey, a beta test with seats, or an idea panel."""
    return SurveyOut.model_validate(await usecases.make_survey(tx, body))


@router.get("", policy=READ)
async def list_surveys(tx: Read, cursor: Cursor = None, limit: Limit = 50) -> Page[SurveyOut]:
    """List surveys, the newest first."""
    return await queries.list_surveys(tx, cursor=cursor, limit=limit)


@router.get("/{survey_id}", policy=READ)
async def get_survey(survey_id: UUID, tx: Read) -> SurveyOut:
    """Return a survey."""
    return SurveyOut.model_validate(await queries.get_survey(tx, survey_id))


@router.post("/{survey_id}/close", policy=WRITE)
async def close_survey(survey_id: UUID, tx: Write) -> SurveyOut:
    """Take no more answers."""
    return SurveyOut.model_validate(await usecases.close(tx, survey_id))


@router.post("/{survey_id}/links", policy=WRITE)
async def make_links(survey_id: UUID, body: LinksIn, tx: Read) -> list[LinkOut]:
    """Return each person's link, to be put into a message; nothing is sent and nothing is stored."""
    return usecases.make_links(tx, await queries.get_survey(tx, survey_id), body)


@router.post("/{survey_id}/answers", policy=WRITE, status_code=201)
async def answer(survey_id: UUID, body: AnswerOfIn, tx: Write) -> AnsweredOut:
    """Keep an answer that came by telephone or letter; who has answered keeps the first."""
    return await usecases.answer(
        tx, survey_id, body.person_id, body, way="api", language=body.language
    )


@router.get("/{survey_id}/answers", policy=READ)
async def list_answers(
    survey_id: UUID, tx: Read, cursor: Cursor = None, limit: Limit = 100
) -> Page[AnswerOut]:
    """List the answers, the newest first."""
    await queries.get_survey(tx, survey_id)
    return await queries.list_answers(tx, survey_id, cursor=cursor, limit=limit)


@router.get("/{survey_id}/results", policy=READ)
async def get_results(survey_id: UUID, tx: Read) -> ResultsOut:
    """Return the figures: NPS, CSAT, and how often what was chosen."""
    return await queries.results(tx, await queries.get_survey(tx, survey_id))


@router.get("/{survey_id}/ideas", policy=READ)
async def list_ideas(survey_id: UUID, tx: Read) -> list[IdeaOut]:
    """List the ideas of a panel, hidden ones too, those with the most votes first."""
    await queries.get_survey(tx, survey_id)
    return await queries.list_ideas(tx, survey_id, with_hidden=True)


@router.patch("/{survey_id}/ideas/{idea_id}", policy=WRITE)
async def hide_idea(survey_id: UUID, idea_id: UUID, body: IdeaPatch, tx: Write) -> list[IdeaOut]:
    """Show an idea to the panel, or do not."""
    await usecases.hide_idea(tx, survey_id, idea_id, is_hidden=body.is_hidden)
    return await queries.list_ideas(tx, survey_id, with_hidden=True)
