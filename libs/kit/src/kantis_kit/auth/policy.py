"""Who may use a route. There is no default: a route without a policy is refused when the service starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EXTRA = "x-kantis-policy"
EXTRA_PRIVILEGED = "x-kantis-privileged"
_PUBLIC = "public: "


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
        return f"{_PUBLIC}{self.public_reason}" if self.public_reason else self.scope

    def as_extra(self) -> dict[str, object]:
        """Return the policy as it stands in the API's description, from which the route reads it again."""
        return {EXTRA: self.label, **({EXTRA_PRIVILEGED: True} if self.privileged else {})}

    @classmethod
    def from_extra(cls, extra: Mapping[str, Any]) -> "Policy | None":
        """Read what `as_extra` wrote; None when there is no policy."""
        label = extra.get(EXTRA)
        if not isinstance(label, str):
            return None
        privileged = bool(extra.get(EXTRA_PRIVILEGED))
        if label.startswith(_PUBLIC):
            return cls(public_reason=label.removeprefix(_PUBLIC), privileged=privileged)
        return cls(scope=label, privileged=privileged)


def needs(scope: str, *, privileged: bool = False) -> Policy:
    """Require a scope such as `contacts:write`."""
    return Policy(scope=scope, privileged=privileged)


def public(reason: str) -> Policy:
    """Let anybody in, and say why."""
    return Policy(public_reason=reason)
