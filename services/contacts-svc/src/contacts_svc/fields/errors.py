"""Refusals about declared fields."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class FieldUnknown(NotFound):
    """No field of that key."""

    slug, title = "field-unknown", "There is no such field"


class FieldTaken(Conflict):
    """The key is in use."""

    slug, title = "field-taken", "A field of this key is there already"


class FieldInUse(Conflict):
    """People have values of it."""

    slug, title = "field-in-use", "This field holds values"


class FieldInvalid(Invalid):
    """The declaration cannot be."""

    slug, title = "invalid-field", "This cannot be declared"


class ValuesInvalid(Invalid):
    """Values that the declared fields do not take."""

    slug, title = "invalid-custom-values", "Not every value fits its field"
