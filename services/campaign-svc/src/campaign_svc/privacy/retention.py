"""How long campaign keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from sqlalchemy import literal, or_
from sqlalchemy.dialects.postgresql import JSONB

from campaign_svc.actions.model import Step
from campaign_svc.base import Base
from campaign_svc.campaigns.model import Piece
from campaign_svc.community.model import CommunityPost, CommunityReport
from campaign_svc.programmes.model import Run, ToldEvent, Visit
from campaign_svc.purchases.model import PaidOrder
from campaign_svc.rules.model import RuleEntry
from campaign_svc.surveys.model import Idea, SurveyAnswer
from campaign_svc.webhooks.model import WebhookDelivery
from kantis_kit.retention import Rule

_piece = Base.metadata.tables[str(Piece.__tablename__)]
_step = Base.metadata.tables[str(Step.__tablename__)]
_entry = Base.metadata.tables[str(RuleEntry.__tablename__)]
_run = Base.metadata.tables[str(Run.__tablename__)]
_visit = Base.metadata.tables[str(Visit.__tablename__)]
_told = Base.metadata.tables[str(ToldEvent.__tablename__)]
_answer = Base.metadata.tables[str(SurveyAnswer.__tablename__)]
_paid = Base.metadata.tables[str(PaidOrder.__tablename__)]
_idea = Base.metadata.tables[str(Idea.__tablename__)]
_post = Base.metadata.tables[str(CommunityPost.__tablename__)]
_delivery = Base.metadata.tables[str(WebhookDelivery.__tablename__)]
_NOBODY = {"person_id": None, "merged_id": None}
_report = Base.metadata.tables[str(CommunityReport.__tablename__)]

RULES = (
    Rule(
        "campaign.piece",
        730,
        _piece,
        _piece.c.released_at,
        values={"because": literal([], JSONB()), "reason": ""},
        where=or_(_piece.c.because != literal([], JSONB()), _piece.c.reason != ""),
    ),
    Rule(
        "campaign.step",
        730,
        _step,
        _step.c.at,
        values={"because": literal([], JSONB()), "facts": literal({}, JSONB()), "reason": ""},
        where=or_(
            _step.c.because != literal([], JSONB()),
            _step.c.facts != literal({}, JSONB()),
            _step.c.reason != "",
        ),
    ),
    Rule(
        "campaign.rule_entry",
        395,
        _entry,
        _entry.c.at,
        values={"clauses": literal([], JSONB())},
        where=_entry.c.clauses != literal([], JSONB()),
    ),
    Rule("campaign.programme_run", 730, _run, _run.c.ended_at),
    Rule("campaign.programme_visit", 1_095, _visit, _visit.c.at),
    Rule("campaign.told_event", 90, _told, _told.c.told_at),
    Rule(
        "campaign.survey_answer",
        1_095,
        _answer,
        _answer.c.answered_at,
        values={"texts": literal({}, JSONB())},
        where=_answer.c.texts != literal({}, JSONB()),
    ),
    Rule("campaign.paid_order", 1_825, _paid, _paid.c.paid_at),
    Rule("campaign.community_report", 395, _report, _report.c.reported_at),
    Rule(
        "campaign.idea",
        1_095,
        _idea,
        _idea.c.told_at,
        values=_NOBODY,
        where=_idea.c.person_id.is_not(None),
    ),
    Rule(
        "campaign.community_post",
        1_825,
        _post,
        _post.c.written_at,
        values=_NOBODY,
        where=_post.c.person_id.is_not(None),
    ),
    Rule("campaign.webhook_delivery", 395, _delivery, _delivery.c.settled_at),
)
