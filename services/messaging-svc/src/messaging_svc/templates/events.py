"""What of templates leaves the service."""

from collections.abc import Sequence

from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.messaging import TemplateCheck, TemplateCheckedV1


def checked(request: PreflightRequest, checks: Sequence[TemplateCheck]) -> TemplateCheckedV1:
    """Answer a pre-flight."""
    return TemplateCheckedV1(
        preflight_id=request.preflight_id, campaign_id=request.campaign_id, items=tuple(checks)
    )
