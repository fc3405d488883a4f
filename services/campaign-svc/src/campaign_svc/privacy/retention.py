"""How long campaign keeps what tells of people; the reasons stand in contacts-svc, where the periods are decided."""

from sqlalchemy import literal, or_
from sqlalchemy.dialects.postgresql import JSONB

from campaign_svc.base import Base
from campaign_svc.campaigns.model import Piece
from kantis_kit.retention import Rule

_piece = Base.metadata.tables[str(Piece.__tablename__)]

RULES = (
    Rule(
        "campaign.piece",
        730,
        _piece,
        _piece.c.released_at,
        values={"because": literal([], JSONB()), "reason": ""},
        where=or_(_piece.c.because != literal([], JSONB()), _piece.c.reason != ""),
    ),
)
