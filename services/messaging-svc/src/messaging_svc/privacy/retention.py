"""How long messaging keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from sqlalchemy import literal, null, or_
from sqlalchemy.dialects.postgresql import JSONB

from kantis_kit.retention import Rule
from messaging_svc.dispatch.model import dispatch
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
)
