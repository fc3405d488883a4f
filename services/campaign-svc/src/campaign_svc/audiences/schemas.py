"""Shapes of audiences at the API."""

from datetime import datetime

from kantis_kit.web.schemas import Out


class AudienceOut(Out):
    """How large a campaign's segment is now, and who came and went since it began to tell."""

    name: str
    members: int
    entered: int
    gone: int
    changed_at: datetime
