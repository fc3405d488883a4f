"""What can be refused about relays and groups of domains."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class RelayNotFound(NotFound):
    """No such relay."""

    slug, title = "relay-not-found", "There is no such relay"


class RelayExists(Conflict):
    """One name means one relay."""

    slug, title = "relay-exists", "There is a relay of this name already"


class GroupNotFound(NotFound):
    """No such group of domains."""

    slug, title = "domain-group-not-found", "There is no such group of domains"


class GroupInUse(Conflict):
    """A relay serves it by its name."""

    slug, title = "domain-group-in-use", "A relay serves this group of domains"


class UnknownGroup(Invalid):
    """A relay names a group that there is not."""

    slug, title = "unknown-domain-group", "There is no such group of domains"


class PasswordMissing(Invalid):
    """A user without a password."""

    slug, title = "password-missing", "A user needs a password"
