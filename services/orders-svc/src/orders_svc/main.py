"""What orders-svc is made of."""

from pathlib import Path

from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec
from kantis_kit.timers import jobs_in, timers_in
from orders_svc.back_orders import jobs as back_order_jobs
from orders_svc.billing import api as billing
from orders_svc.billing.documents import public as invoice_pages
from orders_svc.billing.ledger import api as ledger
from orders_svc.carriers import api as carriers
from orders_svc.carriers.jobs import book_parcels
from orders_svc.catalogue import api as catalogue
from orders_svc.checkout import api as checkout
from orders_svc.checkout.fast import fast_orders
from orders_svc.credit import api as credit
from orders_svc.deadlines import api as deadlines
from orders_svc.deadlines import jobs as deadline_jobs
from orders_svc.deliveries import api as deliveries
from orders_svc.desk import api as desk
from orders_svc.dunning import api as dunning
from orders_svc.dunning import jobs as dunning_jobs
from orders_svc.fulfilment import api as fulfilment
from orders_svc.incoming import api as incoming
from orders_svc.instalments import api as instalments
from orders_svc.merges import consumers as merge_consumers
from orders_svc.merges import jobs as merge_jobs
from orders_svc.model_registry import metadata
from orders_svc.orders import api as orders
from orders_svc.packaging import api as packaging
from orders_svc.packing import api as packing
from orders_svc.payers import api as payers
from orders_svc.payments import api as payments
from orders_svc.payments import jobs as payment_jobs
from orders_svc.people import consumers as people
from orders_svc.postal_returns import api as postal_returns
from orders_svc.postal_returns import consumers as postal_consumers
from orders_svc.prices import api as prices
from orders_svc.prices import jobs as price_jobs
from orders_svc.privacy import api as privacy
from orders_svc.privacy import consumers as privacy_consumers
from orders_svc.privacy import jobs as privacy_jobs
from orders_svc.purchasing import api as purchasing
from orders_svc.recommendations import api as recommendations
from orders_svc.recommendations import jobs as recommendation_jobs
from orders_svc.response_files import api as response_files
from orders_svc.response_files import jobs as response_file_jobs
from orders_svc.responses import api as responses
from orders_svc.responses import consumers as response_consumers
from orders_svc.responses import public as page
from orders_svc.returns import api as returns
from orders_svc.settings import OrdersSettings
from orders_svc.vat import api as vat
from orders_svc.waves import api as waves

SPEC = ServiceSpec(
    name="orders",
    title="Orders",
    settings=OrdersSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[
        # Fixed words of a path before the ids that could stand there.
        vat.router,
        incoming.router,
        packaging.rules,
        purchasing.router,
        catalogue.router,
        prices.router,
        recommendations.router,
        responses.router,
        desk.router,
        response_files.router,
        deadlines.router,
        checkout.router,
        fulfilment.picks,
        orders.router,
        fulfilment.router,
        waves.router,
        waves.priorities,
        packing.orders,
        carriers.router,
        packing.parcels,
        deliveries.router,
        returns.router,
        postal_returns.router,
        packaging.orders,
        payers.router,
        billing.invoices,
        payments.router,
        ledger.router,
        dunning.invoices,
        dunning.cases,
        instalments.router,
        credit.router,
        privacy.router,
    ],
    public={"/r": [page.router], "/i": [invoice_pages.router]},
    fast={"/v1": fast_orders},
    handlers=handlers_in(
        people, response_consumers, merge_consumers, privacy_consumers, postal_consumers
    ),
    timers=timers_in(merge_jobs, back_order_jobs, response_file_jobs, payment_jobs, dunning_jobs),
    jobs=jobs_in(
        privacy_jobs,
        back_order_jobs,
        price_jobs,
        recommendation_jobs,
        deadline_jobs,
        response_file_jobs,
        dunning_jobs,
    ),
    loops=[book_parcels],
)
