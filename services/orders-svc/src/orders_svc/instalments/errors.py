"""What instalment plans refuse."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class PlanNotFound(NotFound):
    """The invoice is not paid in instalments."""

    slug, title = "plan-not-found", "There is no plan for this invoice"


class PlanStands(Conflict):
    """The invoice has a plan, or nothing is open that could be paid in parts."""

    slug, title = "plan-refused", "No plan can be made for this invoice now"


class PlanDoesNotFit(Invalid):
    """The parts do not make up what is owed, or their days are not in order."""

    slug, title = "plan-does-not-fit", "The parts do not fit the invoice"
