"""What orders-svc is made of."""

from pathlib import Path

from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec
from kantis_kit.timers import jobs_in, timers_in
from orders_svc.billing import api as billing
from orders_svc.catalogue import api as catalogue
from orders_svc.dunning import api as dunning
from orders_svc.fulfilment import api as fulfilment
from orders_svc.merges import consumers as merge_consumers
from orders_svc.merges import jobs as merge_jobs
from orders_svc.model_registry import metadata
from orders_svc.orders import api as orders
from orders_svc.people import consumers as people
from orders_svc.privacy import api as privacy
from orders_svc.privacy import consumers as privacy_consumers
from orders_svc.privacy import jobs as privacy_jobs
from orders_svc.responses import api as responses
from orders_svc.responses import consumers as response_consumers
from orders_svc.responses import public as page
from orders_svc.settings import OrdersSettings

SPEC = ServiceSpec(
    name="orders",
    title="Orders",
    settings=OrdersSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[
        catalogue.router,
        responses.router,
        orders.router,
        fulfilment.router,
        billing.invoices,
        billing.payments,
        billing.ledger,
        dunning.invoices,
        dunning.cases,
        privacy.router,
    ],
    public={"/r": [page.router]},
    handlers=handlers_in(people, response_consumers, merge_consumers, privacy_consumers),
    timers=timers_in(merge_jobs),
    jobs=jobs_in(privacy_jobs),
)
