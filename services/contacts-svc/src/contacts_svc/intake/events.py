"""Which facts about leads leave the service."""

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
