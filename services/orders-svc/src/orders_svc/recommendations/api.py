"""Recommendations over HTTP."""

from uuid import UUID

from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router
from orders_svc.recommendations import queries
from orders_svc.recommendations.schemas import AlsoBoughtList

router = Router(prefix="/v1/products", tags=["recommendations"])


@router.get("/{product_id}/also-bought", policy=needs("orders:read"))
async def list_also_bought(product_id: UUID, tx: Read) -> AlsoBoughtList:
    """Return what others who bought this also bought, the strongest first."""
    return AlsoBoughtList(items=await queries.also_bought(tx, product_id))
