"""What can be refused about programmes."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class ProgrammeUnknown(NotFound):
    """No such programme."""

    slug, title = "programme-unknown", "There is no such programme"


class VersionUnknown(NotFound):
    """No such version of it."""

    slug, title = "programme-version-unknown", "The programme has no such version"


class RunUnknown(NotFound):
    """No such run of it."""

    slug, title = "programme-run-unknown", "The programme has no such run"


class StepUnknown(NotFound):
    """No such step in it."""

    slug, title = "programme-step-unknown", "The programme has no such step"


class ReadyMadeUnknown(NotFound):
    """No such programme is delivered with the product."""

    slug, title = "ready-made-unknown", "There is no such ready-made programme"


class GraphRefused(Invalid):
    """The graph has dead ends, or goes round for ever, or names what is not there."""

    slug, title = "programme-graph", "The programme cannot run like this"


class ConditionRefused(Invalid):
    """The register does not understand a condition of a branch."""

    slug, title = "condition-refused", "The register refuses a condition"


class ConditionsNotKept(Conflict):
    """The register has not come to the end of looking who is meant."""

    slug, title = "conditions-not-kept", "The conditions are being looked at"


class NotFilled(Invalid):
    """A ready-made programme lacks ids."""

    slug, title = "ready-made-not-filled", "The ready-made programme needs more"


class KeyMissing(Invalid):
    """The programme has a run per order or contract, and none was named."""

    slug, title = "programme-key-missing", "The run needs a key"


class NothingToPublish(Conflict):
    """There is no draft that differs from what is live."""

    slug, title = "nothing-to-publish", "The programme has no draft"


class NotLive(Conflict):
    """Nobody begins in a programme that is not live."""

    slug, title = "programme-not-live", "The programme is not live"


class NotPaused(Conflict):
    """Only what is paused can be resumed."""

    slug, title = "programme-not-paused", "The programme is not paused"


class MoveIncomplete(Conflict):
    """Runs stand at steps that the new version does not have, and nothing says where they go."""

    slug, title = "programme-move-incomplete", "The move leaves runs without a step"
