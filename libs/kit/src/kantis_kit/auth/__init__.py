"""Who calls, and what they may do: principals, tokens between gateway and services, policies, signed links."""

from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import Policy, needs, public
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier, issue_token

__all__ = ["LinkSigner", "Policy", "Principal", "TokenVerifier", "issue_token", "needs", "public"]
