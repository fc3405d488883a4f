"""Waves: orders that are picked together, their lines in the sequence of the places."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Sequence, Uuid
from sqlmodel import Field

from orders_svc.base import Base, Moment

WAVE_NUMBERS = Sequence("wave_number", start=1, metadata=Base.metadata)


class WaveState(StrEnum):
    """Whether there is still something to pick."""

    OPEN = "open"
    PICKED = "picked"
    CANCELLED = "cancelled"


class LineState(StrEnum):
    """What became of a line."""

    WAITING = "waiting"
    PICKED = "picked"
    SHORT = "short"
    RELEASED = "released"


class MemberState(StrEnum):
    """Where an order in a wave is: being picked, picked, or no longer there."""

    PICKING = "picking"
    PICKED = "picked"
    DONE = "done"


class Wave(Base, table=True):
    """A walk through the store."""

    __table_args__ = (
        CheckConstraint("state IN ('open', 'picked', 'cancelled')", name="wave_state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="wave_closed"),
    )

    wave_id: UUID = Field(primary_key=True)
    number: int = Field(unique=True)
    state: str = WaveState.OPEN.value
    orders: int
    lines: int
    made_by: str
    made_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)


class WaveOrder(Base, table=True):
    """An order in a wave; it is in one at a time."""

    __tablename__ = "wave_order"
    __table_args__ = (
        CheckConstraint("state IN ('picking', 'picked', 'done')", name="wave_order_state"),
        Index("wave_order_once", "order_id", unique=True, postgresql_where="state <> 'done'"),
    )

    wave_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("wave.wave_id"),)
    )
    order_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("sales_order.order_id"),)
    )
    state: str = MemberState.PICKING.value


class WaveLine(Base, table=True):
    """Goods to take from a place for an order; numbered in the sequence of the walk."""

    __tablename__ = "wave_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["wave_id", "order_id"], ["wave_order.wave_id", "wave_order.order_id"]
        ),
        CheckConstraint(
            "state IN ('waiting', 'picked', 'short', 'released')", name="wave_line_state"
        ),
        CheckConstraint("picked >= 0 AND picked <= quantity", name="wave_line_picked"),
        CheckConstraint("state <> 'picked' OR picked = quantity", name="wave_line_whole"),
        Index("wave_line_waiting", "wave_id", "walk_no", postgresql_where="state = 'waiting'"),
        Index("wave_line_order", "wave_id", "order_id"),
    )

    wave_id: UUID = Field(primary_key=True)
    walk_no: int = Field(primary_key=True)
    order_id: UUID
    line_no: int
    product_id: UUID
    place: str
    sku: str
    name: str
    quantity: int
    picked: int = 0
    state: str = LineState.WAITING.value
    taken_by: str = ""
    taken_until: datetime | None = Field(default=None, sa_type=Moment)
    """Until when nobody else takes it; who has not confirmed it by then has lost it."""
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
