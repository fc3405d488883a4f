"""What can be refused about the club."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class MemberUnknown(NotFound):
    """Nobody is a member under this number."""

    slug, title = "member-unknown", "There is no such member"


class TermsOld(Conflict):
    """Who joins agrees to the terms as they are now."""

    slug, title = "club-terms-old", "These are not the club's present terms"


class NoTerms(Conflict):
    """Without terms there is nothing to join."""

    slug, title = "club-without-terms", "The club has no terms yet"


class PointsShort(Conflict):
    """Nobody spends what they have not."""

    slug, title = "points-short", "There are not enough points"


class BenefitUnknown(NotFound):
    """The member's tier has no such benefit."""

    slug, title = "benefit-unknown", "The member has no such benefit"


class AskOne(Invalid):
    """A member is identified in one way at a time."""

    slug, title = "identify-by-one", "Ask by number, telephone or name"


class ClassNotAllowed(Invalid):
    """What happens to a member is no reason for a message of this class."""

    slug, title = "class-not-allowed", "This cannot be told without permission"


class NothingChosen(NotFound):
    """Nothing is done on this occasion."""

    slug, title = "club-message-unknown", "Nothing is done on this occasion"
