"""What reports of customers refuse."""

from kantis_kit.errors import NotFound


class CustomerUnknown(NotFound):
    """Nothing has happened with such a person."""

    slug, title = "customer-unknown", "Nothing has happened with this person yet"
