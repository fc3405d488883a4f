"""Milestones: moments of a customer's life with the company, each of which comes once."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from campaign_svc.actions.schemas import Action, why_not_class
from campaign_svc.campaigns.schemas.words import Name, Priority
from campaign_svc.rules.schemas import Key, ReEntry, RuleState
from kantis_contracts.values import Currency
from kantis_kit.web.schemas import In, Out

FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Amount = Annotated[int, Field(ge=1, le=10**15)]


class BoughtFor(In):
    """Paid orders of so much, all together."""

    kind: Literal["bought_for"]
    amount_minor: Amount
    currency: Currency


class YearsACustomer(In):
    """So many years since the first order, to the day."""

    kind: Literal["years_a_customer"]
    years: int = Field(ge=1, le=100)


class Birthday(In):
    """The person's birthday, of a declared date field, once a year; or one of them alone, such as the fiftieth."""

    kind: Literal["birthday"]
    field: FieldKey
    years: int | None = Field(default=None, ge=1, le=150)


class CompanyEvent(In):
    """News of an organisation in which the person has a role, such as its quarterly result: each once."""

    kind: Literal["company_event"]
    event_kind: Key
    roles: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default=[], max_length=50, description="Empty: any"
    )


When = Annotated[BoughtFor | YearsACustomer | Birthday | CompanyEvent, Field(discriminator="kind")]


class MilestoneIn(In):
    """What is done when somebody reaches it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Ten years with us",
                    "when": {"kind": "years_a_customer", "years": 10},
                    "action": {"kind": "task", "title": "Send a handwritten card"},
                }
            ]
        }
    )

    name: Name
    when: When
    action: Action
    priority: Priority = 50

    @model_validator(mode="after")
    def check_class(self) -> Self:
        """A congratulation is advertising, however kind."""
        message = why_not_class(self.action, frozenset(), "a milestone")
        if message:
            raise ValueError(message)
        return self


class MilestoneOut(Out):
    """A milestone; it is a rule with a condition that the milestone stands for."""

    id: UUID
    version: int
    name: str
    state: RuleState
    problem: str
    trigger: dict[str, Any]
    segment_id: UUID | None
    in_words: str
    action: dict[str, Any]
    re_entry: ReEntry
    priority: int
    created_by: str
    created_at: datetime
