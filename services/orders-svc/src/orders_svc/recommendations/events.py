"""What of recommendations leaves this service."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from kantis_contracts.orders import AlsoBought, Recommendation, RecommendationChangedV1


def recommendations_changed(rows: Sequence[Row[Any]]) -> RecommendationChangedV1:
    """Say what buyers of products also bought."""
    return RecommendationChangedV1(
        items=tuple(
            Recommendation(
                product_id=row.product_id,
                version=row.version,
                also=tuple(AlsoBought.model_validate(one) for one in row.also),
            )
            for row in rows
        )
    )
