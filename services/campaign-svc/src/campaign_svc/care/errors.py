"""What can be refused about care models."""

from kantis_kit.errors import Conflict, NotFound


class CareModelUnknown(NotFound):
    """There is no such care model."""

    slug, title = "care-model-unknown", "There is no such care model"


class CareModelTwice(Conflict):
    """A segment is cared for in one way."""

    slug, title = "care-model-twice", "The segment has a care model"
