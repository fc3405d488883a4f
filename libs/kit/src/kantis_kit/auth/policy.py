"""Who may use a route. There is no default: a route without a policy is refused when the service starts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Either a scope that the caller must have, or a reason why anybody may call.

    `privileged` marks operations of administrators: each call is written to the audit log.
    """

    scope: str = ""
    public_reason: str = ""
    privileged: bool = False

    def __post_init__(self) -> None:
        if bool(self.scope) == bool(self.public_reason):
            message = "a policy names either a scope or the reason why the route is public"
            raise TypeError(message)

    @property
    def label(self) -> str:
        """How the policy is shown in the API's description."""
        return f"public: {self.public_reason}" if self.public_reason else self.scope


def needs(scope: str, *, privileged: bool = False) -> Policy:
    """Require a scope such as `contacts:write`."""
    return Policy(scope=scope, privileged=privileged)


def public(reason: str) -> Policy:
    """Let anybody in, and say why."""
    return Policy(public_reason=reason)
