"""Purchase suggestions over HTTP."""

from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router
from orders_svc.purchasing import queries
from orders_svc.purchasing.schemas import Suggestions

router = Router(prefix="/v1/products/purchase-suggestions", tags=["stock"])


@router.get("", policy=needs("orders:read"))
async def list_suggestions(tx: Read) -> Suggestions:
    """Return what should be bought, how much, and by when."""
    return Suggestions(items=await queries.suggestions(tx))
