"""Refusals about segments."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class SegmentUnknown(NotFound):
    """No such segment, or it was closed."""

    slug, title = "segment-unknown", "There is no such segment"


class SnapshotUnknown(NotFound):
    """No audience was frozen for that launch."""

    slug, title = "snapshot-unknown", "There is no such frozen audience"


class ConditionInvalid(Invalid):
    """The tree is not one of ours."""

    slug, title = "invalid-condition", "This is not a condition"


class ConditionTooCostly(Invalid):
    """The database would have to do more than one condition may ask for."""

    slug, title = "condition-too-costly", "This condition asks too much of the database"


class ReferenceUnknown(Invalid):
    """A condition names a segment, list or field that is not there."""

    slug, title = "condition-names-unknown", "The condition names something that is not there"


class SegmentCircle(Conflict):
    """A segment would depend on itself."""

    slug, title = "segment-circle", "A segment cannot depend on itself"


class SegmentClosing(Conflict):
    """What was closed just now is not opened in the same moment."""

    slug, title = "segment-closing", "The segment is being closed"


class SegmentInUse(Conflict):
    """Other segments name this one."""

    slug, title = "segment-in-use", "Other segments use this one"


class KindFixed(Conflict):
    """A list stays a list."""

    slug, title = "segment-kind-fixed", "A segment's kind cannot be changed"


class NotAList(Conflict):
    """Members are decided by the condition."""

    slug, title = "segment-not-a-list", "Only lists take members by hand"


class PeopleUnknown(Invalid):
    """Some of these contacts are not there."""

    slug, title = "contacts-unknown", "Some of these contacts are not there"
