"""Every table of this service, in one place for its migrations."""

from orders_svc.aliases import person_alias
from orders_svc.base import Base
from orders_svc.billing import model as billing
from orders_svc.catalogue import model as catalogue
from orders_svc.codes import model as codes
from orders_svc.dunning import model as dunning
from orders_svc.orders import model as orders
from orders_svc.people import model as people
from orders_svc.privacy import model as privacy
from orders_svc.responses import model as responses

metadata = Base.metadata

__all__ = [
    "billing",
    "catalogue",
    "codes",
    "dunning",
    "metadata",
    "orders",
    "people",
    "person_alias",
    "privacy",
    "responses",
]
