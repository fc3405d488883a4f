"""What packing refuses."""

from kantis_kit.errors import Conflict, NotFound


class ParcelNotFound(NotFound):
    """No parcel has this id or code."""

    slug, title = "parcel-not-found", "There is no such parcel"


class PackedAlready(Conflict):
    """The order is packed, and has not been shipped yet."""

    slug, title = "packed-already", "The order is packed already"


class OtherThanPicked(Conflict):
    """The boxes hold other goods than were picked; `picked` says how many, by line."""

    slug, title = "other-than-picked", "That is not what was picked"


class AddressUnfit(Conflict):
    """The carrier would send it back; `field` says which part of the address is wrong."""

    slug, title = "address-unfit", "A parcel cannot go to this address"


class NoNumbers(Conflict):
    """The post has given us no numbers of this kind, or they are used up."""

    slug, title = "no-parcel-numbers", "There are no such numbers left"
