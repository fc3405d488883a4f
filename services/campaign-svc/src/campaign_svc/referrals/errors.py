"""What can be refused about referrals."""

from kantis_kit.errors import Conflict, NotFound


class ReferrerUnknown(NotFound):
    """Nobody refers with this code."""

    slug, title = "referrer-unknown", "There is no such referral code"


class ReferralUnknown(NotFound):
    """The referrer has no such referral."""

    slug, title = "referral-unknown", "There is no such referral"


class NoReferralRules(Conflict):
    """Nobody refers before it is said what for."""

    slug, title = "referral-without-rules", "There are no rules of referral yet"


class ReferralDecided(Conflict):
    """Only what is held waits for a person."""

    slug, title = "referral-decided", "The referral does not wait for a decision"
