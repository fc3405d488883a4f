"""What can be refused about rules."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class RuleUnknown(NotFound):
    """There is no such rule."""

    slug, title = "rule-unknown", "There is no such rule"


class RuleEnded(Conflict):
    """What has ended does not begin again."""

    slug, title = "rule-ended", "The rule has ended"


class RuleNotReady(Conflict):
    """Its condition has not been accepted."""

    slug, title = "rule-not-ready", "The rule's condition has not been accepted"


class RuleTriggersItself(Conflict):
    """What it does would have it begin again."""

    slug, title = "rule-triggers-itself", "The rule would trigger itself"


class NothingToRehearse(Conflict):
    """What happened outside is not kept for as long."""

    slug, title = "nothing-to-rehearse", "Only rules with a condition can be rehearsed"


class RehearsalUnknown(NotFound):
    """There is no such rehearsal of this rule."""

    slug, title = "rehearsal-unknown", "There is no such rehearsal"


class MomentOutside(Invalid):
    """It lies too far from now."""

    slug, title = "moment-outside", "This moment cannot be"
