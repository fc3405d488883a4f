"""Clauses about what has happened between a person and the company, and what was learned."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from contacts_svc.insights.model import InsightKind, InsightSource
from contacts_svc.interactions.model import Direction, InteractionKind
from contacts_svc.segments.conditions.base import (
    MAX_VALUES,
    Campaigns,
    Counted,
    Word,
    counted,
    names,
    of_campaigns,
)
from kantis_contracts.values import Channel

Words = Annotated[list[Word], Field(max_length=MAX_VALUES)]
_MAX_LAST = 100
_CONSENTED = {None: "", True: "consenting ", False: "other "}


class Interactions(Counted):
    """How many interactions of these kinds there were; what is left empty is not asked."""

    op: Literal["interactions"]
    kinds: list[InteractionKind] = Field(default_factory=list, max_length=len(InteractionKind))
    direction: Direction | None = None
    channels: Words = Field(default_factory=list)
    topics: Words = Field(default_factory=list)
    outcomes: Words = Field(default_factory=list)


class Responses(Counted):
    """How many answers to pieces there were: orders, inquiries, complaints, refusals."""

    op: Literal["responses"]
    kinds: Words = Field(default_factory=list)
    ways: Words = Field(default_factory=list)
    campaign_ids: Campaigns = ()


class Insights(Counted):
    """How many insights with these terms hold for the person now; `ever` counts those that have ended, too."""

    op: Literal["insights"]
    terms: Words = Field(default_factory=list)
    kinds: list[InsightKind] = Field(default_factory=list, max_length=len(InsightKind))
    sources: list[InsightSource] = Field(default_factory=list, max_length=len(InsightSource))
    min_strength: int = Field(default=1, ge=1, le=5)
    ever: bool = False


class MessageMeasure(StrEnum):
    """What is counted of the messages that arrived."""

    SENT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"


class Messages(Counted):
    """How many messages arrived, were opened or clicked; `of_last` looks at that many newest ones alone."""

    op: Literal["messages"]
    measure: MessageMeasure = MessageMeasure.SENT
    channel: Channel | None = None
    campaign_ids: Campaigns = ()
    of_last: int | None = Field(default=None, ge=1, le=_MAX_LAST)

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        """A number of messages and a window of time are two questions."""
        if self.of_last is not None and (self.since is not None or self.within_days is not None):
            message = "messages: of_last goes with neither since nor within_days"
            raise ValueError(message)
        return self


class Visits(Counted):
    """How many pages of our sites the person looked at; `paths` are beginnings, such as `/boats/`."""

    op: Literal["visits"]
    sites: Words = Field(default_factory=list)
    paths: Words = Field(default_factory=list)
    campaigns: Words = Field(default_factory=list)


class Leads(Counted):
    """How many forms the person has sent, each form once, however often; the window looks at the last time."""

    op: Literal["leads"]
    forms: Words = Field(default_factory=list)
    """Their keys."""
    consented: bool | None = None
    """Whether a consent was ticked."""


class Answers(Counted):
    """How many answers to questions of forms say this, in the words of the form or by a term of the vocabulary."""

    op: Literal["answers"]
    questions: Words = Field(default_factory=list)
    answers: Words = Field(default_factory=list)
    terms: Words = Field(default_factory=list)


def _interactions(node: Interactions) -> str:
    what = names(node.kinds) or "interactions"
    about = "".join(
        f" {label} {names(values)}"
        for label, values in (
            ("by", node.channels),
            ("about", node.topics),
            ("ending in", node.outcomes),
        )
        if values
    )
    direction = f"{node.direction.value}going " if node.direction else ""
    return counted(f"{direction.replace('ingoing', 'incoming')}{what}{about}", node)


def _insights(node: Insights) -> str:
    what = names(node.terms) or names(node.kinds) or "insights"
    strength = f" of strength {node.min_strength} or more" if node.min_strength > 1 else ""
    source = f" from {names(node.sources)}" if node.sources else ""
    return counted(f"{what}{strength}{source}{' ever' if node.ever else ''}", node)


def _messages(node: Messages) -> str:
    channel = f"{node.channel.value} " if node.channel else ""
    what = {
        MessageMeasure.SENT: "messages",
        MessageMeasure.OPENED: "opened messages",
        MessageMeasure.CLICKED: "clicked messages",
    }[node.measure]
    last = f" of the last {node.of_last}" if node.of_last else ""
    return counted(f"{channel}{what}{last}{of_campaigns(node.campaign_ids)}", node)


WORDS: dict[type, Callable[[Any], str]] = {
    Interactions: _interactions,
    Responses: lambda node: counted(
        f"responses{' of kind ' + names(node.kinds) if node.kinds else ''}"
        f"{' by ' + names(node.ways) if node.ways else ''}{of_campaigns(node.campaign_ids)}",
        node,
    ),
    Insights: _insights,
    Messages: _messages,
    Visits: lambda node: counted(
        "page views"
        f"{' of ' + names(node.paths) if node.paths else ''}"
        f"{' at ' + names(node.sites) if node.sites else ''}"
        f"{' from campaign ' + names(node.campaigns) if node.campaigns else ''}",
        node,
    ),
    Leads: lambda node: counted(
        f"{_CONSENTED[node.consented]}leads{' by form ' + names(node.forms) if node.forms else ''}",
        node,
    ),
    Answers: lambda node: counted(
        f"answers{' ' + names(node.answers) if node.answers else ''}"
        f"{' to ' + names(node.questions) if node.questions else ''}"
        f"{' that mean ' + names(node.terms) if node.terms else ''}",
        node,
    ),
}
