"""Leads, and addresses that wait for their owners' confirmation."""

from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Language


class ConfirmationRequest(Item):
    """A person must confirm an address before anything else is sent to it."""

    request_id: UUID
    person_id: UUID
    email: str
    preferred_name: str = ""
    language: Language = Language.EN
    form_key: str
    confirm_path: str
    """Path of the confirmation page under the public address, with its token."""


class ConfirmationRequestedV1(Event, type="contacts.confirmation.requested.v1"):
    """Leads came in whose addresses wait for their owners' confirmation."""

    items: tuple[ConfirmationRequest, ...] = Items


class LeadReceived(Item):
    """A lead from a form."""

    lead_id: UUID
    person_id: UUID
    form_key: str
    source: str = ""
    is_confirmed: bool = False
    topics: tuple[str, ...] = ()
    list_id: UUID | None = None


class LeadReceivedV1(Event, type="contacts.lead.received.v1"):
    """Web sites have posted leads."""

    items: tuple[LeadReceived, ...] = Items
