"""What the services answer when somebody is forgotten, or wants to know: the shapes; each producer has its type."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from kantis_contracts.base import Item


class Kept(Item):
    """Rows that stay although their person is forgotten, and why."""

    kind: str
    rows: int
    reason: str
    until: date | None = None
    """The day after which they go too; None for what names nobody."""


class ErasureReceipt(Item):
    """A service has forgotten a person. `removed` counts the rows that were deleted or emptied, by kind."""

    erasure_id: UUID
    removed: dict[str, int] = Field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    done_at: AwareDatetime


class DossierPart(Item):
    """A part of what a service holds of a person: `content` is JSON, rows by kind."""

    dossier_id: UUID
    part: int
    parts: int
    content: str
    answered_at: AwareDatetime


PERSONAL: Mapping[str, Mapping[str, Any]] = {
    "contacts.person.changed.v1": {
        "preferred_name": "",
        "salutation": "",
        "full_name": "",
        "email": None,
        "phone": None,
        "address": None,
    },
    "contacts.confirmation.requested.v1": {"email": "", "preferred_name": "", "confirm_path": ""},
    "contacts.page.requested.v1": {"email": "", "preferred_name": "", "path": ""},
    "contacts.audience.frozen.v1": {"because": []},
    "campaign.piece.released.v1": {"because": []},
    "campaign.survey.answered.v1": {"text": "", "terms": []},
    "campaign.test.requested.v1": {"to_email": "", "preferred_name": ""},
    "messaging.message.settled.v1": {"reason": ""},
    "orders.notice.requested.v1": {"facts": {}},
    "orders.response.registered.v1": {"answers": []},
    "orders.address.corrected.v1": {"street": "", "postal_code": "", "city": ""},
    "analytics.analytics_dossier.answered.v1": {"content": "{}"},
    "campaign.campaign_dossier.answered.v1": {"content": "{}"},
    "messaging.messaging_dossier.answered.v1": {"content": "{}"},
    "orders.orders_dossier.answered.v1": {"content": "{}"},
}
"""Fields of items that can name a person or tell of one, and what is left of them when the person is forgotten."""
