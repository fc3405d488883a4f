"""Refusals about segments."""

from kantis_kit.errors import Invalid, NotFound


class SegmentUnknown(NotFound):
    """No such segment, or it was closed."""

    slug, title = "segment-unknown", "There is no such segment"


class ConditionInvalid(Invalid):
    """The tree is not one of ours."""

    slug, title = "invalid-condition", "This is not a condition"
