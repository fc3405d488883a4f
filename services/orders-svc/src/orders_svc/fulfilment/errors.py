"""What the way of an order out of the house refuses."""

from kantis_kit.errors import Conflict


class PackedOtherwise(Conflict):
    """The order is packed: what leaves are its parcels."""

    slug, title = "packed", "The order is packed in parcels"
