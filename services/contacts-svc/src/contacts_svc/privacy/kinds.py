"""Kinds of data that are deleted when they are old, with the period that holds unless another is decided, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data; `least_days` and `most_days` bound what may be decided."""

    name: str
    days: int
    what: str
    reason: str
    least_days: int = 30
    most_days: int = 3_650


_LIMITATION = "GDPR Art. 5(1)(e): no longer than the purpose needs"
_PARKED = "GDPR Art. 5(1)(e): a message that nobody looks after for so long serves nobody"
KINDS = (
    Kind("contacts.interaction", 1_095, "calls, complaints, meetings: deleted", f"{_LIMITATION}; claims lapse after three years"),
    Kind("contacts.insight", 1_825, "needs, motives, reasons: deleted", _LIMITATION),
    Kind("contacts.lead", 730, "what was posted in forms: emptied, the permission's proof stays", _LIMITATION),
    Kind("contacts.person_change", 1_825, "what was changed: emptied, who and when stays", "GDPR Art. 5(2): accountability"),
    Kind("messaging.dispatch", 730, "to whom and with what facts a message went: emptied", f"{_LIMITATION}; Art. 7(1): what was sent can be shown until then"),
    Kind("messaging.engagement", 395, "network and browser of clicks: emptied, the click is counted on", _LIMITATION),
    Kind("orders.sales_order", 395, "delivery addresses and parcel numbers: emptied", f"{_LIMITATION}; complaints about delivery are over", 90),
    Kind("orders.response", 1_095, "what people wrote: emptied", f"{_LIMITATION}; claims lapse after three years", 90),
    Kind("campaign.piece", 730, "why somebody was chosen: emptied, the piece is counted on", _LIMITATION),
    Kind("campaign.programme_run", 730, "how somebody went through a programme: deleted so long after its end", _LIMITATION),
    Kind("campaign.programme_visit", 1_095, "which steps of a programme somebody was at, and when: deleted", _LIMITATION),
    Kind("campaign.told_event", 90, "ids of events that were told: deleted; told once more, they count again", _LIMITATION, 7, 365),
    Kind("campaign.step", 730, "why rules and programmes did something about somebody: emptied, that they did stays", _LIMITATION),
    Kind("campaign.rule_entry", 395, "by which facts, also of places, rules decided: emptied, the decision stays", _LIMITATION),
    Kind("campaign.survey_answer", 1_095, "what people wrote in surveys: emptied, scores and choices stay", _LIMITATION),
    Kind("campaign.paid_order", 1_825, "which orders people have paid: deleted, and with it since when they are customers", _LIMITATION),
    Kind("campaign.community_report", 395, "who found that a post should not be shown: deleted", _LIMITATION),
    Kind("campaign.idea", 1_095, "whose an idea was: emptied, the idea and its votes stay", _LIMITATION),
    Kind("campaign.community_post", 1_825, "whose a question, answer or review was: emptied, the text stays under the name that its author chose", _LIMITATION),
    Kind("campaign.webhook_delivery", 395, "what other systems were told of somebody: deleted so long after it was told", _LIMITATION, 7),
    Kind("analytics.fact", 1_095, "whose a fact is: emptied, the figures stay", _LIMITATION),
    Kind("contacts.message_parked", 180, "messages that nobody has looked after: deleted", _PARKED, 7, 365),
    Kind("messaging.conversation", 730, "what people wrote to us and were answered, with its attachments: deleted", _LIMITATION),
    Kind("messaging.inbound", 730, "what people wrote to us by text message: deleted; votes stay counted", f"{_LIMITATION}; a no that was said is kept apart"),
    Kind("messaging.call", 1_095, "numbers that were called and what callers wrote: emptied, the outcome stays", f"{_LIMITATION}; claims lapse after three years"),
    Kind("messaging.insight", 1_825, "needs and objections that callers are shown: deleted", _LIMITATION),
    Kind("messaging.bounce", 395, "the words of servers about a message that came back: emptied, the reason stays", _LIMITATION),
    Kind("messaging.message_parked", 180, "messages that nobody has looked after: deleted", _PARKED, 7, 365),
    Kind("orders.message_parked", 180, "messages that nobody has looked after: deleted", _PARKED, 7, 365),
    Kind("campaign.message_parked", 180, "messages that nobody has looked after: deleted", _PARKED, 7, 365),
    Kind("analytics.message_parked", 180, "messages that nobody has looked after: deleted", _PARKED, 7, 365),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}

FIXED = {
    "orders.invoice": "bookkeeping law: vouchers, payments and the ledger are kept for years after the end of theirs"
    " (NO 5, DK 5, SE 7, FI 6, IS 7; elsewhere 10), then who was invoiced and who paid is emptied; no other period can be decided",
    "contacts.permission_ledger": "GDPR Art. 7(1): a permission must be demonstrable as long as it is relied upon",
    "contacts.suppressed_address": "GDPR Art. 17(3): a keyed hash, so that an erasure outlives the next list",
}
"""What no period is decided for, and why."""
