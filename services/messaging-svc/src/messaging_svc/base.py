"""The one collection of this service's tables."""

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData()

Uid = UUID(as_uuid=True)
"""Column type of ids."""

Moment = DateTime(timezone=True)
"""Column type of moments: aware, in UTC."""
