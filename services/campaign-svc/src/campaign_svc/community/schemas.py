"""What the API takes and shows of the community."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out

Words = Annotated[str, StringConstraints(min_length=1, max_length=5_000)]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=500)]


class PostKind(StrEnum):
    """What a post is."""

    QUESTION = "question"
    ANSWER = "answer"
    REVIEW = "review"


class PostState(StrEnum):
    """Whether a post is shown."""

    WAITING = "waiting"
    SHOWN = "shown"
    REFUSED = "refused"


class PostIn(In):
    """Something that is written: a question or a review about a product, or an answer. Without a person it is ours."""

    kind: PostKind
    person_id: UUID | None = None
    question_id: UUID | None = None
    product_id: UUID | None = None
    nickname: str = Field(default="", max_length=60)
    title: str = Field(default="", max_length=200)
    text: Words
    stars: int | None = Field(default=None, ge=1, le=5)
    language: Language = Language.EN

    @model_validator(mode="after")
    def check_kind(self) -> "PostIn":
        """Each kind has what it needs and nothing else."""
        if (self.kind is PostKind.ANSWER) != (self.question_id is not None):
            message = "question_id: an answer has it, and nothing else"
            raise ValueError(message)
        if (self.kind is PostKind.REVIEW) != (self.stars is not None):
            message = "stars: a review has them, and nothing else"
            raise ValueError(message)
        if self.kind is PostKind.REVIEW and (self.product_id is None or self.person_id is None):
            message = "a review has a product_id and a person_id: the company does not review its own goods"
            raise ValueError(message)
        return self


class PostOut(Out):
    """A post, for moderators."""

    id: UUID
    kind: PostKind
    question_id: UUID | None
    product_id: UUID | None
    person_id: UUID | None
    is_ours: bool
    nickname: str
    title: str
    text: str
    stars: int | None
    language: str
    is_buyer: bool
    state: PostState
    caution: str
    reason: str
    decided_by: str
    decided_at: datetime | None
    written_at: datetime


class DecisionIn(In):
    """Whether a post is shown, and why; the author may be told."""

    show: bool
    reason: Reason


class ReportIn(In):
    """Who finds that a post should not be shown, and why."""

    person_id: UUID
    reason: Reason


class ReviewOut(Out):
    """A review as visitors see it: the author is who they chose to be."""

    id: UUID
    nickname: str
    title: str
    text: str
    stars: int
    language: str
    is_buyer: bool
    written_at: datetime


class ReviewsOut(Out):
    """What people think of a product, over all reviews that are shown."""

    product_id: UUID
    reviews: int
    mean: float | None
    counts: dict[int, int]
    items: list[ReviewOut]


class AnswerShown(Out):
    """An answer as visitors see it."""

    id: UUID
    nickname: str
    text: str
    language: str
    is_ours: bool
    written_at: datetime


class QuestionShown(Out):
    """A question with its answers, as visitors see them."""

    id: UUID
    product_id: UUID | None
    nickname: str
    title: str
    text: str
    language: str
    written_at: datetime
    answers: list[AnswerShown]
