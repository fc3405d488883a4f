"""What of templates leaves the service."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.messaging import (
    TemplateCard,
    TemplateChangedV1,
    TemplateCheck,
    TemplateCheckedV1,
)


def checked(request: PreflightRequest, checks: Sequence[TemplateCheck]) -> TemplateCheckedV1:
    """Answer a pre-flight."""
    return TemplateCheckedV1(
        preflight_id=request.preflight_id, campaign_id=request.campaign_id, items=tuple(checks)
    )


def changed(rows: Sequence[Row[Any]]) -> TemplateChangedV1:
    """Tell which version of each template stands, and for which messages."""
    return TemplateChangedV1(
        items=tuple(
            TemplateCard(
                template_id=row.id,
                revision=row.revision,
                name=row.name,
                number=row.number,
                message_class=row.message_class,
            )
            for row in rows
        )
    )
