"""What of an answer leaves the service."""

from campaign_svc.surveys.model import Survey, SurveyAnswer
from campaign_svc.surveys.schemas import SCALES, Question, QuestionKind
from kantis_contracts.campaign import SurveyAnswered, SurveyAnsweredV1

_LOW = {QuestionKind.NPS: 6, QuestionKind.CSAT: 2}


def survey_answered(survey: Survey, answer: SurveyAnswer) -> SurveyAnsweredV1:
    """Tell what somebody answered, with the words of the vocabulary that it stands for."""
    if answer.person_id is None:
        message = "an answer of nobody is not told"
        raise ValueError(message)
    questions = [Question.model_validate(one) for one in survey.questions]
    item = SurveyAnswered(
        answer_id=answer.id,
        survey_id=survey.id,
        survey_name=survey.name,
        person_id=answer.person_id,
        way=answer.way,
        scores={
            one.key: int(answer.answers[one.key])
            for one in questions
            if one.kind in SCALES and one.key in answer.answers
        },
        terms=tuple(sorted({term for one in questions for term in _terms(one, answer.answers)})),
        text="\n".join(answer.texts[one.key] for one in questions if answer.texts.get(one.key)),
        answered_at=answer.answered_at,
    )
    return SurveyAnsweredV1(items=(item,))


def _terms(question: Question, answers: dict[str, str]) -> list[str]:
    given = answers.get(question.key)
    if given is None:
        return []
    chosen = [one.term for one in question.choices if one.key == given and one.term]
    is_low = question.kind in _LOW and int(given) <= _LOW[question.kind]
    return [*chosen, *([question.low_term] if is_low and question.low_term else [])]
