"""The caller, as the gateway has established it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Principal:
    """An API key or a signed-in person with the scopes that its role gives."""

    id: str
    name: str = ""
    scopes: frozenset[str] = field(default_factory=frozenset)

    def may(self, scope: str) -> bool:
        """Say whether the caller has the scope, itself or through `service:*` or `*`."""
        family, _, verb = scope.partition(":")
        return bool(
            {scope, f"{family}:*", "*"} & self.scopes
            or (verb == "read" and f"{family}:write" in self.scopes)
        )


ANONYMOUS = Principal(id="anonymous", name="anonymous")
