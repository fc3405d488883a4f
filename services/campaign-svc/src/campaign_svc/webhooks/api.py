"""Webhooks: where rules and programmes tell other systems of people."""

from uuid import UUID

from fastapi import Request, Response

from campaign_svc.webhooks import queries, usecases
from campaign_svc.webhooks.model import Webhook
from campaign_svc.webhooks.schemas import (
    DeliveriesCount,
    DeliveriesIn,
    DeliveryOut,
    DeliveryState,
    WebhookIn,
    WebhookMade,
    WebhookOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router
from kantis_kit.web.state import state_of

router = Router(prefix="/v1/webhooks", tags=["webhooks"])
READ = needs("campaign:read")
PRIVILEGED = needs("campaign:write", privileged=True)


@router.post("", policy=PRIVILEGED, status_code=201)
async def make_webhook(
    body: WebhookIn, request: Request, response: Response, tx: Write
) -> WebhookMade:
    """Make a webhook; this answer is the only place where its secret is shown."""
    webhook, secret = await usecases.make_webhook(tx, body)
    response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
    return _made(request, webhook, secret)


@router.get("", policy=READ)
async def list_webhooks(tx: Read) -> list[WebhookOut]:
    """Return the webhooks, closed ones too, with how many deliveries wait or were parked."""
    return await queries.list_webhooks(tx)


@router.get("/{webhook_id}", policy=READ)
async def get_webhook(webhook_id: UUID, tx: Read) -> WebhookOut:
    """Return a webhook."""
    return await queries.get_webhook(tx, webhook_id)


@router.put("/{webhook_id}", policy=PRIVILEGED)
async def change_webhook(webhook_id: UUID, body: WebhookIn, tx: Write) -> WebhookOut:
    """Give a webhook another name or address; what waits goes to the new one."""
    return WebhookOut.model_validate(await usecases.change_webhook(tx, webhook_id, body))


@router.delete("/{webhook_id}", policy=PRIVILEGED, status_code=204)
async def close_webhook(webhook_id: UUID, tx: Write) -> None:
    """Tell nothing there any more; what waits is dropped."""
    await usecases.close_webhook(tx, webhook_id)


@router.post("/{webhook_id}/secret", policy=PRIVILEGED)
async def renew_secret(webhook_id: UUID, request: Request, tx: Write) -> WebhookMade:
    """Sign with a new secret from now on; this answer is the only place where it is shown."""
    webhook, secret = await usecases.renew_secret(tx, webhook_id)
    return _made(request, webhook, secret)


@router.get("/{webhook_id}/deliveries", policy=READ)
async def list_deliveries(
    webhook_id: UUID,
    tx: Read,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[DeliveryOut]:
    """Return what was told or waits; `state=parked` is what waits for a person, and holds its person's later ones."""
    items = await queries.list_deliveries(
        tx, webhook_id, state=state, after=id_after(cursor), limit=limit
    )
    return page_by_id(items, limit)


@router.post("/{webhook_id}/replays", policy=PRIVILEGED)
async def replay(webhook_id: UUID, body: DeliveriesIn, tx: Write) -> DeliveriesCount:
    """Have deliveries tried again: those that are named, also done ones, or all that are parked."""
    return DeliveriesCount(deliveries=await usecases.replay(tx, webhook_id, body.ids))


@router.post("/{webhook_id}/drops", policy=PRIVILEGED)
async def drop(webhook_id: UUID, body: DeliveriesIn, tx: Write) -> DeliveriesCount:
    """Give parked deliveries up, so that what waits behind them goes."""
    return DeliveriesCount(deliveries=await usecases.drop(tx, webhook_id, body.ids))


def _made(request: Request, webhook: Webhook, secret: str) -> WebhookMade:
    shown = WebhookOut.model_validate(webhook).model_dump()
    # A repeated request gets this answer from a row, and a secret may stand in no row that can be read.
    state_of(request).stored_body = WebhookMade(**shown, secret=None).model_dump_json().encode()
    return WebhookMade(**shown, secret=secret)
