"""Which facts about links leave the service: what somebody needs to know before they call."""

from collections.abc import Iterable
from datetime import date

from contacts_svc.organisations.model import Organisation, PersonLink
from kantis_contracts.contacts import LinkCard, LinkChangedV1


def links_changed(
    links: Iterable[tuple[PersonLink, Organisation]], *, is_removed: bool = False
) -> LinkChangedV1:
    """Say what people are in organisations now."""
    return LinkChangedV1(items=tuple(_card(*pair, is_removed=is_removed) for pair in links))


def _card(link: PersonLink, organisation: Organisation, *, is_removed: bool) -> LinkCard:
    return LinkCard(
        link_id=link.id,
        # Both rise alone: whichever changes, the sum is higher than before.
        version=link.version + organisation.version + is_removed,
        person_id=link.person_id,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        role=link.role,
        relevance=link.relevance,
        is_main=link.is_main,
        do_not_contact=link.do_not_contact or organisation.do_not_contact,
        not_before=_later(link.not_before, organisation.not_before),
        valid_from=link.valid_from,
        valid_to=link.valid_to,
        is_removed=is_removed,
    )


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)
