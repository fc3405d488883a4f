"""Refusals about people."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class ContactUnknown(NotFound):
    """No such person, or erased."""

    slug, title = "contact-unknown", "There is no such contact"


class AddressTaken(Conflict):
    """An address belongs to one person at a time."""

    slug, title = "address-taken", "This address belongs to another contact"


class ContactInvalid(Invalid):
    """What was sent cannot become a contact."""

    slug, title = "invalid-contact", "This cannot be kept as a contact"


class ContactMerged(Conflict):
    """The contact was merged into another, which is the one to change."""

    slug, title = "contact-merged", "This contact was merged into another"


class IdentifierUnknown(NotFound):
    """No such e-mail address or phone number of this contact."""

    slug, title = "identifier-unknown", "This contact has no such identifier"


class PostalAddressUnknown(NotFound):
    """No such postal address of this contact."""

    slug, title = "address-unknown", "This contact has no such postal address"


class ErasedBefore(Conflict):
    """The owner of the address has asked to be forgotten."""

    slug, title = "erased-before", "The owner of this address has asked to be forgotten"


class Contended(Conflict):
    """Others keep taking the same addresses."""

    slug, title = "busy", "Somebody else is changing the same contacts"
