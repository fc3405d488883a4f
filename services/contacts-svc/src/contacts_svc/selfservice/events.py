"""What leaves this slice: links that people have asked for."""

from uuid import UUID

from contacts_svc.people.schemas import ContactOut
from kantis_contracts.contacts import PageRequest, PageRequestedV1
from kantis_contracts.values import Language


def page_requested(request_id: UUID, contact: ContactOut, name: str, path: str) -> PageRequestedV1:
    """Say that a link to one of a person's own pages is to be mailed to them."""
    return PageRequestedV1(
        items=(
            PageRequest(
                request_id=request_id,
                person_id=contact.id,
                page=name,
                email=contact.email or "",
                path=path,
                language=Language(contact.language),
                preferred_name=contact.preferred_name,
            ),
        )
    )
