"""Refusals about organisations and links."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class OrganisationUnknown(NotFound):
    """No such organisation."""

    slug, title = "organisation-unknown", "There is no such organisation"


class OrganisationInvalid(Invalid):
    """What was sent cannot be kept as an organisation."""

    slug, title = "invalid-organisation", "This cannot be kept as an organisation"


class NumberTaken(Conflict):
    """A number belongs to one organisation of a country."""

    slug, title = "number-taken", "This number belongs to another organisation"


class ParentsCircular(Conflict):
    """An organisation would belong to itself."""

    slug, title = "parents-circular", "An organisation cannot belong to itself"


class OrganisationInUse(Conflict):
    """People or organisations belong to it."""

    slug, title = "organisation-in-use", "People or organisations belong to it"


class AudienceUnknown(NotFound):
    """No launch of this id has an audience here."""

    slug, title = "audience-unknown", "There is no such audience"


class LinkUnknown(NotFound):
    """No such link of this contact."""

    slug, title = "link-unknown", "This contact has no such link"


class LinkTaken(Conflict):
    """The person is that in that organisation already."""

    slug, title = "link-taken", "The contact has this role there already"


class LinkInvalid(Invalid):
    """What was sent cannot be kept as a link."""

    slug, title = "invalid-link", "This cannot be kept as a link"
