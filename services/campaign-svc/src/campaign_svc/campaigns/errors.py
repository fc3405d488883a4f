"""What the campaigns' rules refuse."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class CampaignUnknown(NotFound):
    """No such campaign."""

    slug, title = "campaign-unknown", "There is no such campaign"


class CellUnknown(NotFound):
    """No such cell in this campaign."""

    slug, title = "cell-unknown", "The campaign has no such cell"


class OfferUnknown(NotFound):
    """No such offer in this campaign."""

    slug, title = "offer-unknown", "The campaign has no such offer"


class PreflightUnknown(NotFound):
    """No such pre-flight of this campaign."""

    slug, title = "preflight-unknown", "The campaign has no such pre-flight"


class NotLaunched(NotFound):
    """The campaign has no launch, or the person no piece of it."""

    slug, title = "not-launched", "There is no such piece"


class NotDraft(Conflict):
    """Only a draft may be changed."""

    slug, title = "not-a-draft", "A launched campaign cannot be changed"


class OfferInUse(Conflict):
    """A cell names the offer."""

    slug, title = "offer-in-use", "A cell uses this offer"


class KeyCodeTaken(Conflict):
    """Key codes are unique in the company."""

    slug, title = "key-code-taken", "This key code is in use"


class AlreadyLaunched(Conflict):
    """The campaign was launched with another signature."""

    slug, title = "already-launched", "The campaign has been launched otherwise"


class PreflightMissing(Conflict):
    """A launch needs a counted pre-flight of this version that is fresh."""

    slug, title = "preflight-missing", "A fresh pre-flight is needed"


class PreflightRed(Conflict):
    """The pre-flight found what makes a launch impossible."""

    slug, title = "preflight-red", "The pre-flight forbids the launch"


class SignOffNeeded(Conflict):
    """A yellow pre-flight needs somebody who answers for the launch."""

    slug, title = "sign-off-needed", "Somebody must sign for the launch"


class ProductUnknown(Invalid):
    """Offers name products of the catalogue."""

    slug, title = "product-unknown", "The catalogue has no such product"


class CurrencyMismatch(Invalid):
    """A campaign is counted in one currency."""

    slug, title = "currency-mismatch", "The currencies differ"


class SharesWrong(Invalid):
    """The cells' shares must sum to the whole."""

    slug, title = "shares-not-100", "The cells' shares must sum to 100 %"


class CampaignOver(Invalid):
    """Nothing may be sent after the campaign's last moment."""

    slug, title = "campaign-over", "The campaign's last moment has passed"


class NothingToShow(Conflict):
    """A test shows a mail to somebody."""

    slug, title = "nothing-to-show", "There is nothing to show, or nobody to show it to"


class ApprovalNeeded(Conflict):
    """A launch of this size is for two persons."""

    slug, title = "approval-needed", "A second person must approve this launch"
