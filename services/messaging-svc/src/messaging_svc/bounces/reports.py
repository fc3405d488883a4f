"""From what a mail provider reports to incidents."""

from collections.abc import Iterator
from datetime import datetime

from kantis_kit.auth.links import LinkSigner
from messaging_svc.bounces.classifier import classify
from messaging_svc.bounces.model import Category, Incident, Verdict
from messaging_svc.bounces.schemas import ReportedIn, ReportsIn
from messaging_svc.verp import message_named_by


def incidents_of(told: ReportsIn, signer: LinkSigner, *, now: datetime) -> Iterator[Incident]:
    """Return an incident for each report; the signed return path tells which message, else the id that was sent."""
    for one in told.items:
        at = one.occurred_at or now
        yield Incident(
            source="webhook",
            external_id=one.id,
            channel="email",
            verdict=_verdict(one),
            occurred_at=min(at, now),
            message_id=message_named_by(one.return_path, signer, now=now) or one.message_id,
            address=one.email,
            status=one.status,
            diagnostic=one.text,
        )


def _verdict(one: ReportedIn) -> Verdict:
    if one.type == "complaint":
        return Verdict(Category.COMPLAINT, "reported")
    if one.type == "delivered":
        return Verdict(Category.DELIVERED, "reported")
    return classify(one.status, one.text)
