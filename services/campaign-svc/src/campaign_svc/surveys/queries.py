"""Reads of surveys: their answers, figures and ideas."""

from collections import Counter
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.surveys.errors import SurveyUnknown
from campaign_svc.surveys.model import Idea, IdeaVote, Survey, SurveyAnswer
from campaign_svc.surveys.schemas import (
    AnswerOut,
    IdeaOut,
    Question,
    QuestionKind,
    QuestionResult,
    ResultsOut,
    SurveyOut,
)
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, id_after

_PROMOTER, _DETRACTOR, _SATISFIED = 9, 6, 4
MOST_IDEAS = 200


async def get_survey(tx: ReadTx, survey_id: UUID) -> Survey:
    """Return a survey. Raises `SurveyUnknown`."""
    found = await tx.get(Survey, survey_id)
    if found is None:
        raise SurveyUnknown(f"There is no survey {survey_id}")
    return found


async def list_surveys(tx: ReadTx, *, cursor: str | None, limit: int) -> Page[SurveyOut]:
    """Return surveys, the newest first."""
    wanted = select(Survey).order_by(col(Survey.id).desc()).limit(limit + 1)
    after = id_after(cursor)
    if after is not None:
        wanted = wanted.where(col(Survey.id) < after)
    rows = [SurveyOut.model_validate(row) for row in await tx.scalars(wanted)]
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)


async def list_answers(
    tx: ReadTx, survey_id: UUID, *, cursor: str | None, limit: int
) -> Page[AnswerOut]:
    """Return the answers to a survey, the newest first."""
    wanted = (
        select(SurveyAnswer)
        .where(col(SurveyAnswer.survey_id) == survey_id)
        .order_by(col(SurveyAnswer.id).desc())
        .limit(limit + 1)
    )
    after = id_after(cursor)
    if after is not None:
        wanted = wanted.where(col(SurveyAnswer.id) < after)
    rows = [AnswerOut.model_validate(row) for row in await tx.scalars(wanted)]
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)


async def results(tx: ReadTx, survey: Survey) -> ResultsOut:
    """Return the figures of a survey."""
    of_it = col(SurveyAnswer.survey_id) == survey.id
    total = await tx.scalar(select(func.count()).where(of_it))
    told = func.jsonb_each_text(col(SurveyAnswer.answers)).table_valued("key", "value").lateral()
    rows = await tx.execute(
        select(told.c.key, told.c.value, func.count())
        .select_from(SurveyAnswer)
        .join(told, of_it)
        .group_by(told.c.key, told.c.value)
    )
    counts: dict[str, Counter[str]] = {}
    for key, value, number in [tuple(row) for row in rows]:
        counts.setdefault(key, Counter())[value] = number
    questions = [Question.model_validate(one) for one in survey.questions]
    return ResultsOut(
        survey_id=survey.id,
        answers=int(total),
        questions=[
            judge(one, counts.get(one.key, Counter()))
            for one in questions
            if one.kind is not QuestionKind.TEXT
        ],
    )


def judge(question: Question, counts: Counter[str]) -> QuestionResult:
    """Return the figures of a question from how often which answer was given."""
    total = counts.total()
    score = mean = None
    if total and question.kind is not QuestionKind.CHOICE:
        given = Counter({int(value): number for value, number in counts.items()})
        mean = sum(value * number for value, number in given.items()) / total
        if question.kind is QuestionKind.NPS:
            good = sum(number for value, number in given.items() if value >= _PROMOTER)
            bad = sum(number for value, number in given.items() if value <= _DETRACTOR)
        else:
            good, bad = sum(n for value, n in given.items() if value >= _SATISFIED), 0
        score = 100 * (good - bad) / total
    return QuestionResult(
        key=question.key,
        kind=question.kind,
        answers=total,
        counts=dict(sorted(counts.items())),
        score=None if score is None else round(score, 1),
        mean=None if mean is None else round(mean, 2),
    )


async def list_ideas(tx: ReadTx, survey_id: UUID, *, with_hidden: bool) -> list[IdeaOut]:
    """Return the ideas of a panel, those with the most votes first."""
    votes = func.count(col(IdeaVote.id)).label("votes")
    wanted = (
        select(Idea, votes)
        .outerjoin(IdeaVote, col(IdeaVote.idea_id) == col(Idea.id))
        .where(col(Idea.survey_id) == survey_id)
        .group_by(col(Idea.id))
        .order_by(votes.desc(), col(Idea.id))
        .limit(MOST_IDEAS)
    )
    if not with_hidden:
        wanted = wanted.where(col(Idea.is_hidden).is_(False))
    rows = [tuple(row) for row in await tx.execute(wanted)]
    return [IdeaOut.model_validate({**idea.model_dump(), "votes": count}) for idea, count in rows]
