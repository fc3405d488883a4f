"""What customers are to be told, and what orders-svc holds and forgets of persons."""

from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Channel


class Notice(Item):
    """Something that a customer must be told; transactional, never with sales text.

    `kind` is such as `order_placed`, `order_waiting`, `order_shipped`, `return_received` or `invoice_issued`; `facts` are
    the words of its message, ready to print. `channel` is e-mail, or letter for who has no e-mail address or wants paper.
    """

    notice_id: UUID
    person_id: UUID
    kind: str
    facts: dict[str, str] = Field(default_factory=dict)
    channel: Channel = Channel.EMAIL


class NoticeRequestedV1(Event, type="orders.notice.requested.v1"):
    """Customers are to be told of what happened to their orders."""

    items: tuple[Notice, ...] = Items


class OrdersErasureCompletedV1(Event, type="orders.orders_erasure.completed.v1"):
    """Orders has forgotten persons, short of the books."""

    items: tuple[ErasureReceipt, ...] = Items


class OrdersDossierAnsweredV1(Event, type="orders.orders_dossier.answered.v1"):
    """What orders holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items
