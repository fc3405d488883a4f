"""What the API and the pages take and show of surveys."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Instant, Out

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Words = dict[Language, Word]
Given = Annotated[str, StringConstraints(max_length=2_000)]
MOST_PEOPLE = 1_000


class SurveyKind(StrEnum):
    """What a survey is."""

    QUESTIONS = "questions"
    BETA = "beta"
    """A test of something new, with seats and a waiting list."""
    PANEL = "panel"
    """Ideas, and votes for them."""


class QuestionKind(StrEnum):
    """How a question is answered."""

    NPS = "nps"
    CSAT = "csat"
    CHOICE = "choice"
    TEXT = "text"


SCALES = {QuestionKind.NPS: range(11), QuestionKind.CSAT: range(1, 6)}
"""NPS: 0 to 10, would you recommend us. CSAT: 1 to 5, how satisfied."""


class Choice(In):
    """A choice; with a term of the vocabulary it becomes an insight about whoever takes it."""

    key: Key
    words: Words
    term: Key | None = None


class Question(In):
    """A question. `low_term` becomes an insight when the score is low (NPS to 6, CSAT to 2)."""

    key: Key
    kind: QuestionKind
    words: Words
    choices: list[Choice] = Field(default_factory=list, max_length=20)
    is_required: bool = False
    low_term: Key | None = None

    @model_validator(mode="after")
    def check_choices(self) -> "Question":
        """Choices belong to questions that are answered by one."""
        if (self.kind is QuestionKind.CHOICE) != (len(self.choices) > 1):
            message = f"{self.key}: a question of kind choice has two choices or more, another none"
            raise ValueError(message)
        if self.key in ("vote", "idea", "lang"):
            message = f"{self.key}: the page uses this name itself; take another"
            raise ValueError(message)
        return self


class SurveyIn(In):
    """A new survey."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "After the purchase",
                    "titles": dict.fromkeys(
                        ("nb", "sv", "da", "fi", "en"), "Would you recommend us?"
                    ),
                    "questions": [
                        {
                            "key": "recommend",
                            "kind": "nps",
                            "words": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Would you?"),
                        }
                    ],
                }
            ]
        }
    )

    name: Word
    kind: SurveyKind = SurveyKind.QUESTIONS
    titles: Words = Field(min_length=1)
    """In the languages in which people are asked; who reads none of them is asked in English, or in what there is."""
    questions: list[Question] = Field(default_factory=list, max_length=30)
    seats: int | None = Field(default=None, ge=1, le=100_000)
    closes_at: Instant | None = None

    @model_validator(mode="after")
    def check_languages(self) -> "SurveyIn":
        """Whoever reads the title reads all of it."""
        asked = [(one.key, one.words) for one in self.questions]
        asked += [
            (f"{one.key}, choice {each.key}", each.words)
            for one in self.questions
            for each in one.choices
        ]
        for place, words in asked:
            missing = [one.value for one in self.titles if one not in words]
            if missing:
                message = f"{place}: give the words in each language of the titles; missing: {', '.join(missing)}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_whole(self) -> "SurveyIn":
        """Questions have names of their own; seats belong to beta tests."""
        keys = [one.key for one in self.questions]
        if len(set(keys)) < len(keys):
            message = "questions: two have the same key"
            raise ValueError(message)
        if not keys and self.kind is not SurveyKind.PANEL:
            message = "questions: ask at least one"
            raise ValueError(message)
        if (self.seats is not None) != (self.kind is SurveyKind.BETA):
            message = "seats: a beta test has them, and nothing else"
            raise ValueError(message)
        return self


class SurveyOut(Out):
    """A survey."""

    id: UUID
    name: str
    kind: SurveyKind
    titles: dict[str, str]
    questions: list[Question]
    seats: int | None
    made_by: str
    made_at: datetime
    closes_at: datetime | None


class LinksIn(In):
    """Who is to be asked; the links are put into messages that these people may get."""

    person_ids: list[UUID] = Field(min_length=1, max_length=MOST_PEOPLE)
    valid_days: int = Field(default=90, ge=1, le=3_650)


class LinkOut(Out):
    """A person's link to the survey."""

    person_id: UUID
    url: str


class AnswerIn(In):
    """Answers by question, as text: a score, a choice's key, or free words."""

    answers: dict[Key, Given] = Field(default_factory=dict, max_length=30)
    votes: list[UUID] = Field(default_factory=list, max_length=200)
    idea: str = Field(default="", max_length=1_000)


class AnswerOfIn(AnswerIn):
    """Answers that came by telephone or letter."""

    person_id: UUID
    language: Language = Language.EN


class AnsweredOut(Out):
    """What was kept. `seat` is empty for who waits for one."""

    id: UUID
    is_new: bool
    seat: int | None
    answered_at: datetime


class AnswerOut(Out):
    """An answer."""

    id: UUID
    person_id: UUID | None
    way: str
    language: str
    answers: dict[str, str]
    texts: dict[str, str]
    seat: int | None
    answered_at: datetime


class QuestionResult(Out):
    """The figures of a question. NPS: per cent of 9 and 10 less per cent of 0 to 6; CSAT: per cent of 4 and 5."""

    key: str
    kind: QuestionKind
    answers: int
    counts: dict[str, int]
    score: float | None
    mean: float | None


class ResultsOut(Out):
    """The figures of a survey."""

    survey_id: UUID
    answers: int
    questions: list[QuestionResult]


class IdeaOut(Out):
    """An idea and its votes."""

    id: UUID
    text: str
    votes: int
    is_hidden: bool
    told_at: datetime


class IdeaPatch(In):
    """Whether an idea is shown."""

    is_hidden: bool
