"""Clauses about what has happened between a person and the company, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, or_, select, true

from contacts_svc.base import table_of
from contacts_svc.facts.model import MessageFact, ResponseFact
from contacts_svc.insights.model import Insight, InsightTerm
from contacts_svc.intake.model import Lead, LeadAnswer
from contacts_svc.interactions.model import Interaction
from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    Rows,
    compared,
    earliest,
    facts,
    of_campaigns,
    person,
)
from contacts_svc.segments.conditions.activity import (
    Answers,
    Insights,
    Interactions,
    Leads,
    MessageMeasure,
    Messages,
    Responses,
    Visits,
)
from contacts_svc.touched import Family
from contacts_svc.visits.model import PageView, Visitor, VisitorPerson

_interaction: Table = table_of(Interaction)
_response: Table = table_of(ResponseFact)
_insight: Table = table_of(Insight)
_term: Table = table_of(InsightTerm)
_message: Table = table_of(MessageFact)
_page_view: Table = table_of(PageView)
_visitor: Table = table_of(VisitorPerson)
_seen_by: Table = table_of(Visitor)
_lead: Table = table_of(Lead)
_answer: Table = table_of(LeadAnswer)
_OF_LEADS = Family.INTERACTION | Family.PERMISSION | Family.PROFILE | Family.LIST
"""A lead touches one of these, according to what it has brought."""


def _among(column: ColumnElement[Any], values: Sequence[str]) -> list[Holds]:
    return [column.in_([str(value) for value in values])] if values else []


def _interactions(node: Interactions, _now: Now) -> Sequence[Holds]:
    return (
        *_among(_interaction.c.kind, node.kinds),
        *_among(_interaction.c.direction, [node.direction] if node.direction else []),
        *_among(_interaction.c.channel, node.channels),
        *_among(_interaction.c.topic, node.topics),
        *_among(_interaction.c.outcome, node.outcomes),
    )


def _responses(node: Responses, _now: Now) -> Sequence[Holds]:
    return (
        *_among(_response.c.kind, node.kinds),
        *_among(_response.c.way, node.ways),
        *of_campaigns(_response, node.campaign_ids),
    )


def _said(node: Insights) -> list[Holds]:
    bounds = [
        *_among(_insight.c.source, node.sources),
        _insight.c.strength >= node.min_strength,
    ]
    if node.terms or node.kinds:
        terms = select(_term.c.id).where(
            *_among(_term.c.key, node.terms), *_among(_term.c.kind, node.kinds)
        )
        bounds.append(_insight.c.term_id.in_(terms.correlate(None)))
    return bounds


def _insights(node: Insights, now: Now) -> Sequence[Holds]:
    bounds = _said(node)
    if not node.ever:
        bounds.append(or_(_insight.c.until.is_(None), _insight.c.until > now))
    return bounds


INSIGHTS = Rows(_insight, _insight.c.id, _insight.c.said_at, Family.INSIGHT, _insights)


def _insights_flip(node: Insights, now: Now) -> Moments | None:
    """Tell when the first one ends, or leaves the window."""
    leaves = INSIGHTS.flips(node, now)
    if node.ever:
        return leaves
    ends = INSIGHTS.chosen(func.min(_insight.c.until), node, now).scalar_subquery()
    if leaves is None:
        return ends
    return earliest(ends, leaves)


def _was(node: Messages, message: Any) -> Holds:  # noqa: ANN401 - the columns of a table or of a subquery
    clicked: Holds = message.clicked_at.is_not(None)
    if node.measure is MessageMeasure.OPENED:
        return or_(message.opened_at.is_not(None), clicked)
    if node.measure is MessageMeasure.CLICKED:
        return clicked
    return true()


def _arrived(node: Messages) -> list[Holds]:
    columns = _message.c
    signs = (columns.opened_at.is_not(None), columns.clicked_at.is_not(None))
    return [
        or_(columns.state == "accepted", *signs),
        *_among(columns.channel, [node.channel] if node.channel else []),
        *of_campaigns(_message, node.campaign_ids),
    ]


ARRIVED = Rows(
    _message,
    _message.c.message_id,
    _message.c.at,
    Family.MESSAGE,
    lambda node, _now: [*_arrived(node), _was(node, _message.c)],
)


def _of_last(node: Messages, what: ColumnElement[Any]) -> Select[Any]:
    """Select from the newest messages alone those that count; columns of them are named as in the table."""
    newest = (
        select(_message.c.message_id, _message.c.at, _message.c.opened_at, _message.c.clicked_at)
        .where(_message.c.person_id == person.c.id, *_arrived(node))
        .order_by(_message.c.at.desc(), _message.c.message_id.desc())
        .limit(node.of_last)
        .correlate(person)
        .subquery("newest")
    )
    return select(what).select_from(newest).where(_was(node, newest.c)).correlate(person)


def _messages(node: Messages, now: Now) -> Holds:
    if node.of_last is None:
        return ARRIVED.holds(node, now)
    return compared(_of_last(node, func.count()).scalar_subquery(), node)


def _messages_facts(node: Messages, now: Now) -> Facts:
    if node.of_last is None:
        return ARRIVED.facts(node, now)
    every = Messages(op="messages", channel=node.channel, campaign_ids=node.campaign_ids)
    arrived = ARRIVED.chosen(func.count(), every, now).scalar_subquery()
    newest = ARRIVED.chosen(func.max(_message.c.at), every, now).scalar_subquery()
    return facts(
        count=_of_last(node, func.count()).scalar_subquery(),
        of=func.least(arrived, node.of_last),
        last_at=newest,
    )


_view = (
    select(
        _page_view.c.id,
        _visitor.c.person_id,
        _seen_by.c.site_key,
        _page_view.c.path,
        _page_view.c.campaign,
        _page_view.c.seen_at,
    )
    .join(_visitor, _visitor.c.visitor_id == _page_view.c.visitor_id)
    .join(_seen_by, _seen_by.c.id == _page_view.c.visitor_id)
    .subquery("view")
)


def _visits(node: Visits, _now: Now) -> Sequence[Holds]:
    starts = [_view.c.path.startswith(one, autoescape=True) for one in node.paths]
    return (
        *_among(_view.c.site_key, node.sites),
        *([or_(*starts)] if starts else []),
        *_among(_view.c.campaign, node.campaigns),
    )


def _leads(node: Leads, _now: Now) -> Sequence[Holds]:
    bounds = _among(_lead.c.form_key, node.forms)
    if node.consented is not None:
        bounds.append(_lead.c.is_consented.is_(node.consented))
    return bounds


def _answers(node: Answers, _now: Now) -> Sequence[Holds]:
    return (
        *_among(_answer.c.question, node.questions),
        *_among(_answer.c.answer, node.answers),
        *_among(_answer.c.term, node.terms),
    )


MEANINGS: dict[type, Meaning] = {
    Interactions: Rows(
        _interaction,
        _interaction.c.id,
        _interaction.c.occurred_at,
        Family.INTERACTION,
        _interactions,
    ).meaning,
    Responses: Rows(
        _response,
        _response.c.response_id,
        _response.c.responded_at,
        Family.INTERACTION,
        _responses,
    ).meaning,
    Insights: Meaning(
        Family.INSIGHT, INSIGHTS.holds, INSIGHTS.facts, _insights_flip, INSIGHTS.sweeps
    ),
    Messages: Meaning(
        Family.MESSAGE,
        _messages,
        _messages_facts,
        ARRIVED.flips,
        lambda node, now: (
            _messages(node, now) if node.of_last is not None else ARRIVED.sweeps(node, now)
        ),
    ),
    Visits: Rows(_view, _view.c.id, _view.c.seen_at, Family.VISIT, _visits).meaning,
    Leads: Rows(_lead, _lead.c.id, _lead.c.last_at, _OF_LEADS, _leads).meaning,
    Answers: Rows(_answer, _answer.c.lead_id, _answer.c.said_at, _OF_LEADS, _answers).meaning,
}
