"""Which facts about leads leave the service."""

from collections.abc import Mapping
from typing import Any

import orjson

from contacts_svc.intake.model import Confirmation, Form, Lead
from kantis_contracts.contacts import (
    ConfirmationRequest,
    ConfirmationRequestedV1,
    LeadReceived,
    LeadReceivedV1,
)
from kantis_contracts.values import Language


def lead_item(lead: Lead, form: Form) -> LeadReceived:
    """Map a lead to what others need of it."""
    return LeadReceived(
        lead_id=lead.id,
        person_id=lead.person_id,
        form_key=form.key,
        source=form.source,
        is_confirmed=lead.is_consented and not form.double_opt_in,
        topics=tuple(lead.topics),
        list_id=form.list_id,
    )


def lead_received(lead: Lead, form: Form) -> LeadReceivedV1:
    """Say that a form has brought a lead."""
    return LeadReceivedV1(items=(lead_item(lead, form),))


def lead_told(lead: Lead, form: Form) -> dict[str, Any]:
    """Map a lead to what `lead_item` says of it, ready for JSON."""
    return {
        "lead_id": lead.id,
        "person_id": lead.person_id,
        "form_key": form.key,
        "source": form.source,
        "is_confirmed": lead.is_consented and not form.double_opt_in,
        "topics": lead.topics,
        # As text: one that the driver has read is of a kind of its own.
        "list_id": str(form.list_id) if form.list_id else None,
    }


def question_json(
    values: Mapping[str, Any], form_key: str, *, preferred_name: str, path: str
) -> bytes:
    """Map the row of a question to what `question_item` says of it, as JSON."""
    item: dict[str, Any] = {
        "request_id": values["id"],
        "person_id": values["person_id"],
        "email": values["email"],
        "preferred_name": preferred_name,
        "language": values["language"],
        "form_key": form_key,
        "confirm_path": path,
    }
    return orjson.dumps(item)


def question_item(
    confirmation: Confirmation, form: Form, *, preferred_name: str, path: str
) -> ConfirmationRequest:
    """Map a question to what the mail needs."""
    return ConfirmationRequest(
        request_id=confirmation.id,
        person_id=confirmation.person_id,
        email=confirmation.email,
        preferred_name=preferred_name,
        language=Language(confirmation.language),
        form_key=form.key,
        confirm_path=path,
    )


def confirmation_requested(
    confirmation: Confirmation, form: Form, *, preferred_name: str, path: str
) -> ConfirmationRequestedV1:
    """Ask for the mail that asks the address's owner."""
    item = question_item(confirmation, form, preferred_name=preferred_name, path=path)
    return ConfirmationRequestedV1(items=(item,))
