"""Every table of this service, in one place for its migrations."""

from orders_svc.aliases import person_alias
from orders_svc.base import Base
from orders_svc.billing import model as billing
from orders_svc.catalogue import model as catalogue
from orders_svc.claims import model as claims
from orders_svc.codes import model as codes
from orders_svc.credit import model as credit
from orders_svc.desk import model as desk
from orders_svc.dunning import model as dunning
from orders_svc.incoming import model as incoming
from orders_svc.instalments import model as instalments
from orders_svc.law import model as law
from orders_svc.orders import model as orders
from orders_svc.packaging import model as packaging
from orders_svc.packing import model as packing
from orders_svc.payers import model as payers
from orders_svc.payments import model as payments
from orders_svc.people import model as people
from orders_svc.postal_returns import model as postal_returns
from orders_svc.prices import model as prices
from orders_svc.privacy import model as privacy
from orders_svc.recommendations import model as recommendations
from orders_svc.response_files import model as response_files
from orders_svc.responses import model as responses
from orders_svc.returns import model as returns
from orders_svc.shipments import model as shipments
from orders_svc.vat import model as vat
from orders_svc.waves import model as waves

metadata = Base.metadata

__all__ = [
    "billing",
    "catalogue",
    "claims",
    "codes",
    "credit",
    "desk",
    "dunning",
    "incoming",
    "instalments",
    "law",
    "metadata",
    "orders",
    "packaging",
    "packing",
    "payers",
    "payments",
    "people",
    "person_alias",
    "postal_returns",
    "prices",
    "privacy",
    "recommendations",
    "response_files",
    "responses",
    "returns",
    "shipments",
    "vat",
    "waves",
]
