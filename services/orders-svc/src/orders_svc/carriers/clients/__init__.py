"""Carriers whose APIs book parcels, by name."""

from orders_svc.carriers.clients.bring import Bring
from orders_svc.carriers.clients.port import Carrier
from orders_svc.carriers.clients.posti import Posti
from orders_svc.carriers.clients.postnord import PostNord
from orders_svc.settings import OrdersSettings


def carriers(settings: OrdersSettings) -> dict[str, Carrier]:
    """Return the carriers with which there is an agreement."""
    known: list[Carrier] = [Bring(settings), PostNord(settings), Posti(settings)]
    return {one.name: one for one in known if one.is_set_up}
