"""Make surveys, take answers once, collect ideas and votes."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.surveys import events, links
from campaign_svc.surveys.errors import AnswerInvalid, IdeaUnknown, SurveyClosed, SurveyUnknown
from campaign_svc.surveys.model import Idea, IdeaVote, Survey, SurveyAnswer
from campaign_svc.surveys.schemas import (
    SCALES,
    AnsweredOut,
    AnswerIn,
    LinkOut,
    LinksIn,
    Question,
    QuestionKind,
    SurveyIn,
    SurveyKind,
)
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.db import aliases
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.settings import ServiceSettings
from kantis_kit.tx import ReadTx, Tx


async def make_survey(tx: Tx, body: SurveyIn) -> Survey:
    """Make a survey; its questions stay as they are, so that its answers keep their meaning."""
    now = tx.clock.now()
    if body.closes_at is not None and body.closes_at <= now:
        raise Invalid("closes_at: lies in the past; nobody could answer")
    values = body.model_dump(mode="json", exclude={"closes_at"})
    survey = Survey(id=new_id(), made_by=tx.actor, made_at=now, closes_at=body.closes_at, **values)
    tx.add(survey)
    return survey


async def close(tx: Tx, survey_id: UUID) -> Survey:
    """Take no more answers. Raises `SurveyUnknown`."""
    survey = await _locked(tx, survey_id)
    now = tx.clock.now()
    if survey.closes_at is None or survey.closes_at > now:
        survey.closes_at = now
    return survey


def make_links(tx: ReadTx, survey: Survey, body: LinksIn) -> list[LinkOut]:
    """Return a link for each person; none is sent here."""
    signer, now = tx.use(LinkSigner), tx.clock.now()
    base = tx.settings(ServiceSettings).public_url.rstrip("/")
    return [
        LinkOut(
            person_id=one,
            url=base + links.path_to(signer, survey.id, one, now=now, days=body.valid_days),
        )
        for one in body.person_ids
    ]


async def answer(
    tx: Tx, survey_id: UUID, person_id: UUID, body: AnswerIn, *, way: str, language: Language
) -> AnsweredOut:
    """Keep what somebody answers, once; votes and ideas of a panel may come again.

    Raises:
        SurveyUnknown: there is no such survey.
        SurveyClosed: it takes no more answers.
        AnswerInvalid: an answer does not fit its question, or one is missing; nothing is kept.
        IdeaUnknown: a vote is for an idea that the panel does not show.
    """
    survey = await _locked(tx, survey_id)
    now = tx.clock.now()
    if is_closed(survey, now):
        raise SurveyClosed("It takes no more answers")
    known = await aliases.resolve(tx, person_alias, [person_id])
    person_id = known.get(person_id, person_id)
    held: SurveyAnswer | None = await tx.scalar(
        select(SurveyAnswer)
        .where(col(SurveyAnswer.survey_id) == survey_id, col(SurveyAnswer.person_id) == person_id)
        .limit(1)
    )
    if survey.kind == SurveyKind.PANEL:
        await _keep_ideas(tx, survey_id, person_id, body)
    if held is not None:
        return _kept(held, is_new=False)
    questions = [Question.model_validate(one) for one in survey.questions]
    check(questions, body.answers)
    free = {one.key for one in questions if one.kind is QuestionKind.TEXT}
    given = {key: value for key, value in body.answers.items() if value}
    told = SurveyAnswer(
        id=new_id(),
        survey_id=survey_id,
        person_id=person_id,
        way=way,
        language=language.value,
        answers={key: value for key, value in given.items() if key not in free},
        texts={key: value for key, value in given.items() if key in free},
        seat=await _seat(tx, survey),
        answered_at=now,
    )
    tx.add(told)
    if given:
        tx.stage(events.survey_answered(survey, told))
    return _kept(told, is_new=True)


def check(questions: list[Question], answers: Mapping[str, str]) -> None:
    """Refuse answers that do not fit. Raises `AnswerInvalid`, which names each of them."""
    asked = {one.key: one for one in questions}
    faults = [(key, "the survey has no such question") for key in answers if key not in asked]
    for one in questions:
        given = answers.get(one.key, "")
        if not given:
            if one.is_required:
                faults.append((one.key, "needs an answer"))
        elif one.kind in SCALES:
            scale = SCALES[one.kind]
            if given not in map(str, scale):
                faults.append((one.key, f"answer with a number from {scale[0]} to {scale[-1]}"))
        elif one.kind is QuestionKind.CHOICE and given not in {each.key for each in one.choices}:
            choices = ", ".join(each.key for each in one.choices)
            faults.append((one.key, f"answer with one of {choices}"))
    if faults:
        raise AnswerInvalid(
            f"{faults[0][0]}: {faults[0][1]}; nothing was kept",
            errors=[
                {"in": "body", "field": f"answers.{key}", "message": why} for key, why in faults
            ],
        )


def is_closed(survey: Survey, now: datetime) -> bool:
    """Say whether a survey takes no more answers."""
    return survey.closes_at is not None and survey.closes_at <= now


async def _locked(tx: Tx, survey_id: UUID) -> Survey:
    # Whoever answers takes turns: a link that is opened twice is one answer, a seat is one person's.
    found: Survey | None = await tx.scalar(
        select(Survey).where(col(Survey.id) == survey_id).with_for_update()
    )
    if found is None:
        raise SurveyUnknown(f"There is no survey {survey_id}")
    return found


async def _seat(tx: ReadTx, survey: Survey) -> int | None:
    if survey.seats is None:
        return None
    taken = await tx.scalar(
        select(func.coalesce(func.max(col(SurveyAnswer.seat)), 0)).where(
            col(SurveyAnswer.survey_id) == survey.id
        )
    )
    return taken + 1 if taken < survey.seats else None


async def _keep_ideas(tx: Tx, survey_id: UUID, person_id: UUID, body: AnswerIn) -> None:
    now = tx.clock.now()
    votes = sorted(set(body.votes))
    if votes:
        shown = await tx.scalars(
            select(col(Idea.id)).where(
                col(Idea.id).in_(votes),
                col(Idea.survey_id) == survey_id,
                col(Idea.is_hidden).is_(False),
            )
        )
        missing = set(votes) - set(shown)
        if missing:
            raise IdeaUnknown(f"votes: the panel shows no idea {min(map(str, missing))}")
    text = body.idea.strip()
    is_told = text and await tx.scalar(
        select(col(Idea.id))
        .where(
            col(Idea.survey_id) == survey_id,
            col(Idea.person_id) == person_id,
            col(Idea.text) == text,
        )
        .limit(1)
    )
    if text and not is_told:
        idea = Idea(id=new_id(), survey_id=survey_id, person_id=person_id, text=text, told_at=now)
        tx.add(idea)
        await tx.flush()  # the vote of whoever had the idea refers to it
        votes.append(idea.id)
    if votes:
        rows = [
            {"id": new_id(), "idea_id": one, "person_id": person_id, "voted_at": now}
            for one in votes
        ]
        await tx.execute(insert(IdeaVote).values(rows).on_conflict_do_nothing())


async def hide_idea(tx: Tx, survey_id: UUID, idea_id: UUID, *, is_hidden: bool) -> None:
    """Show an idea to the panel, or do not. Raises `IdeaUnknown`."""
    idea = await tx.get(Idea, idea_id)
    if idea is None or idea.survey_id != survey_id:
        raise IdeaUnknown(f"The panel has no idea {idea_id}")
    idea.is_hidden = is_hidden
    await tx.flush()  # what is shown next is read by a statement of its own


def _kept(told: SurveyAnswer, *, is_new: bool) -> AnsweredOut:
    return AnsweredOut(id=told.id, is_new=is_new, seat=told.seat, answered_at=told.answered_at)
