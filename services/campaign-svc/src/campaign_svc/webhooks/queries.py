"""Reads of webhooks and of what they told."""

from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.webhooks.errors import WebhookUnknown
from campaign_svc.webhooks.model import Webhook, WebhookDelivery
from campaign_svc.webhooks.schemas import DeliveryOut, DeliveryState, WebhookOut
from kantis_kit.tx import ReadTx

_OPEN = (DeliveryState.WAITING.value, DeliveryState.PARKED.value)


async def list_webhooks(tx: ReadTx, *, only: UUID | None = None) -> list[WebhookOut]:
    """Return the webhooks, closed ones too, with what waits for each."""
    counts = (
        select(
            col(WebhookDelivery.webhook_id).label("id"),
            func.count().filter(col(WebhookDelivery.state) == _OPEN[0]).label("waiting"),
            func.count().filter(col(WebhookDelivery.state) == _OPEN[1]).label("parked"),
        )
        .where(col(WebhookDelivery.state).in_(_OPEN))
        .group_by(col(WebhookDelivery.webhook_id))
        .subquery()
    )
    statement = (
        select(
            Webhook,
            func.coalesce(counts.c.waiting, 0).label("waiting"),
            func.coalesce(counts.c.parked, 0).label("parked"),
        )
        .outerjoin(counts, counts.c.id == col(Webhook.id))
        .order_by(col(Webhook.id))
    )
    if only is not None:
        statement = statement.where(col(Webhook.id) == only)
    return [
        WebhookOut.model_validate(row.Webhook).model_copy(
            update={"waiting": row.waiting, "parked": row.parked}
        )
        for row in await tx.execute(statement)
    ]


async def get_webhook(tx: ReadTx, webhook_id: UUID) -> WebhookOut:
    """Return a webhook. Raises `WebhookUnknown`."""
    found = await list_webhooks(tx, only=webhook_id)
    if not found:
        raise WebhookUnknown(f"There is no webhook {webhook_id}")
    return found[0]


async def list_deliveries(
    tx: ReadTx,
    webhook_id: UUID,
    *,
    state: DeliveryState | None,
    after: UUID | None,
    limit: int,
) -> list[DeliveryOut]:
    """Return a page of what is told there, by id."""
    statement = (
        select(WebhookDelivery)
        .where(col(WebhookDelivery.webhook_id) == webhook_id)
        .order_by(col(WebhookDelivery.id))
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(col(WebhookDelivery.state) == state.value)
    if after is not None:
        statement = statement.where(col(WebhookDelivery.id) > after)
    return [DeliveryOut.model_validate(row) for row in await tx.scalars(statement)]
