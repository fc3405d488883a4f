"""Questions, answers and reviews that people write, and what moderators decide on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base

Moment = DateTime(timezone=True)


class CommunityPost(Base, table=True):
    """Something that a person, or the company, has written."""

    __tablename__ = "community_post"

    id: UUID = Field(primary_key=True)
    kind: str
    question_id: UUID | None = None
    product_id: UUID | None = None
    person_id: UUID | None = None
    """Nobody, when the company wrote it or its author is forgotten."""
    merged_id: UUID | None = None
    is_ours: bool = False
    nickname: str = ""
    title: str = ""
    text: str
    stars: int | None = None
    language: str
    is_buyer: bool = False
    """Whether the author had paid an order of ours; shown with a review."""
    state: str
    caution: str = ""
    """What a moderator should look at."""
    reason: str = ""
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    written_at: datetime = Field(sa_type=Moment)


class CommunityReport(Base, table=True):
    """Somebody finds that a post should not be shown."""

    __tablename__ = "community_report"

    id: UUID = Field(primary_key=True)
    post_id: UUID
    person_id: UUID
    merged_id: UUID | None = None
    reason: str
    reported_at: datetime = Field(sa_type=Moment)
