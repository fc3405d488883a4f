"""Our own copy of what templates are written for; their words stay where they are sent."""

from uuid import UUID

from sqlmodel import Field

from campaign_svc.base import Base


class TemplateNote(Base, table=True):
    """For which class of messages the standing version of a template was written and checked."""

    __tablename__ = "template_note"

    template_id: UUID = Field(primary_key=True)
    revision: int
    name: str
    number: int
    message_class: str
