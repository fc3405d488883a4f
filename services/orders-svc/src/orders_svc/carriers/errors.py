"""What booking refuses."""

from kantis_kit.errors import Conflict


class NoAgreement(Conflict):
    """There is no agreement with this carrier; `carriers` says with which there is one."""

    slug, title = "no-carrier-agreement", "There is no agreement with this carrier"


class BookedAlready(Conflict):
    """The carrier knows of the parcel, or may."""

    slug, title = "booked-already", "The carrier may know of this parcel already"
