"""How long messaging keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from sqlalchemy import literal, null, or_
from sqlalchemy.dialects.postgresql import JSONB

from kantis_kit.retention import Rule
from messaging_svc.bounces.model import bounce
from messaging_svc.conversations.model import conversation
from messaging_svc.dispatch.model import dispatch
from messaging_svc.inbound.model import inbound_message
from messaging_svc.phone.model import call, insight_card
from messaging_svc.tracking.model import engagement

RULES = (
    Rule(
        "messaging.dispatch",
        730,
        dispatch,
        dispatch.c.settled_at,
        values={
            "to_email": null(),
            "to_phone": null(),
            "preferred_name": null(),
            "facts": literal({}, JSONB()),
            "because": literal([], JSONB()),
        },
        where=or_(
            dispatch.c.to_email.is_not(None),
            dispatch.c.to_phone.is_not(None),
            dispatch.c.preferred_name.is_not(None),
            dispatch.c.facts != literal({}, JSONB()),
            dispatch.c.because != literal([], JSONB()),
        ),
    ),
    Rule(
        "messaging.engagement",
        395,
        engagement,
        engagement.c.seen_at,
        values={"ip_prefix": "", "user_agent": ""},
        where=or_(engagement.c.ip_prefix != "", engagement.c.user_agent != ""),
    ),
    Rule("messaging.conversation", 730, conversation, conversation.c.last_at),
    Rule("messaging.inbound", 730, inbound_message, inbound_message.c.received_at),
    Rule(
        "messaging.call",
        1_095,
        call,
        call.c.ended_at,
        values={"phone": "", "note": "", "follow_up": "", "learned": literal([], JSONB())},
        where=call.c.phone != "",
    ),
    Rule("messaging.insight", 1_825, insight_card, insight_card.c.said_at),
    Rule(
        "messaging.bounce",
        395,
        bounce,
        bounce.c.recorded_at,
        values={"evidence": "", "diagnostic": ""},
        where=or_(bounce.c.evidence != "", bounce.c.diagnostic != ""),
    ),
)
