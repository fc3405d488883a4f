"""Make and close webhooks, tell them of steps, and keep how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update
from sqlmodel import col

from campaign_svc.actions.model import Asker, Step, Target
from campaign_svc.actions.schemas import Action, StepState, WebhookAction
from campaign_svc.settings import CampaignSettings
from campaign_svc.webhooks import sql
from campaign_svc.webhooks.errors import WebhookClosed, WebhookUnknown
from campaign_svc.webhooks.model import Webhook, WebhookDelivery
from campaign_svc.webhooks.schemas import DeliveryState, WebhookIn
from kantis_kit import webhooks
from kantis_kit.ids import new_id
from kantis_kit.networks import Network, networks
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.vault import Vault

LEASE = timedelta(minutes=2)
"""So long a delivery belongs to whoever tries it; an attempt ends well before."""
MOST_AT_ONCE = 50
TYPE = "kantis.step.taken"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be tried now."""

    id: UUID
    attempts: int
    body: bytes
    target: webhooks.Target


async def make_webhook(tx: Tx, body: WebhookIn) -> tuple[Webhook, str]:
    """Make a webhook; return its row and its secret, which nobody can read again.

    Raises:
        TargetRefused: nothing is sent to such an address.
    """
    webhooks.check_target(body.url, _allowed(tx))
    key_id, secret = webhooks.make_secret()
    now = tx.clock.now()
    webhook = Webhook(
        id=new_id(),
        name=body.name,
        url=body.url,
        key_id=key_id,
        sealed=tx.use(Vault).seal(secret),
        created_by=tx.actor,
        created_at=now,
        changed_at=now,
    )
    tx.add(webhook)
    tx.audit("webhook.made", str(webhook.id), name=body.name, key_id=key_id)
    return webhook, secret


async def change_webhook(tx: Tx, webhook_id: UUID, body: WebhookIn) -> Webhook:
    """Give a webhook another name or address; what waits goes to the new one.

    Raises:
        WebhookUnknown: there is no such webhook.
        WebhookClosed: it was closed.
        TargetRefused: nothing is sent to such an address.
    """
    webhooks.check_target(body.url, _allowed(tx))
    webhook = await _open(tx, webhook_id)
    webhook.name, webhook.url, webhook.changed_at = body.name, body.url, tx.clock.now()
    tx.audit("webhook.changed", str(webhook_id), name=body.name)
    return webhook


async def renew_secret(tx: Tx, webhook_id: UUID) -> tuple[Webhook, str]:
    """Sign with a new secret from now on; `webhook-key-id` says with each delivery which one it was.

    Raises:
        WebhookUnknown: there is no such webhook.
        WebhookClosed: it was closed.
    """
    webhook = await _open(tx, webhook_id)
    webhook.key_id, secret = webhooks.make_secret()
    webhook.sealed, webhook.changed_at = tx.use(Vault).seal(secret), tx.clock.now()
    tx.audit("webhook.secret_renewed", str(webhook_id), key_id=webhook.key_id)
    return webhook, secret


async def close_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Tell nothing there any more; what waits is dropped. Idempotent. Raises `WebhookUnknown`."""
    webhook = await _locked(tx, webhook_id)
    if webhook.closed_at is None:
        webhook.closed_at = tx.clock.now()
        await _drop(tx, webhook_id, None, states=(DeliveryState.WAITING, DeliveryState.PARKED))
        tx.audit("webhook.closed", str(webhook_id))


async def replay(tx: Tx, webhook_id: UUID, ids: Sequence[UUID] | None) -> int:
    """Have deliveries tried again, with all their attempts: those that are named, or all that are parked.

    Raises:
        WebhookUnknown: there is no such webhook.
        WebhookClosed: it was closed.
    """
    await _open(tx, webhook_id)
    chosen = col(WebhookDelivery.state) == DeliveryState.PARKED.value
    if ids is not None:
        chosen = col(WebhookDelivery.id).in_(ids)
    result = await tx.scalars(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.webhook_id) == webhook_id, chosen)
        .values(
            state=DeliveryState.WAITING.value, attempts=0, due_at=tx.clock.now(), settled_at=None
        )
        .returning(col(WebhookDelivery.id))
    )
    return len(result.all())


async def drop(tx: Tx, webhook_id: UUID, ids: Sequence[UUID] | None) -> int:
    """Give parked deliveries up, so that what waits behind them goes; return how many. Raises `WebhookUnknown`."""
    await _locked(tx, webhook_id)
    return await _drop(tx, webhook_id, ids, states=(DeliveryState.PARKED,))


async def _drop(
    tx: Tx, webhook_id: UUID, ids: Sequence[UUID] | None, *, states: Sequence[DeliveryState]
) -> int:
    statement = (
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.webhook_id) == webhook_id,
            col(WebhookDelivery.state).in_([one.value for one in states]),
        )
        .values(state=DeliveryState.DROPPED.value, settled_at=tx.clock.now())
        .returning(col(WebhookDelivery.id))
    )
    if ids is not None:
        statement = statement.where(col(WebhookDelivery.id).in_(ids))
    dropped = list(await tx.scalars(statement))
    await _settle_steps(tx, dropped, StepState.FAILED, "dropped")
    return len(dropped)


async def is_open(tx: ReadTx, action: Action) -> bool:
    """Say whether the webhook of an action is there and takes what it is told."""
    assert isinstance(action, WebhookAction)  # noqa: S101 - what it was registered for
    webhook = await tx.get(Webhook, action.webhook_id)
    return webhook is not None and webhook.closed_at is None


async def tell_for_others(tx: Tx, _asker: Asker, action: Action, targets: Sequence[Target]) -> None:
    """Tell of what a rule or a programme does; a webhook that was closed meanwhile is told nothing."""
    assert isinstance(action, WebhookAction)  # noqa: S101 - what it was registered for
    ids = [one.step_id for one in targets]
    if await is_open(tx, action):
        told = {"webhook_id": action.webhook_id, "ids": ids, "now": tx.clock.now(), "type": TYPE}
        await tx.execute(sql.TELL, told)
    else:
        await _settle_steps(tx, ids, StepState.FAILED, "the webhook was closed")


async def claim(tx: Tx) -> list[Due]:
    """Take deliveries that are due, for the length of an attempt; of each person the earliest alone."""
    now, vault = tx.clock.now(), tx.use(Vault)
    rows = await tx.execute(sql.CLAIM, {"now": now, "until": now + LEASE, "limit": MOST_AT_ONCE})
    return [
        Due(
            row.id,
            row.attempts,
            orjson.dumps(row.body),
            webhooks.Target(row.url, row.key_id, vault.open(row.sealed)),
        )
        for row in rows
    ]


async def note_answers(tx: Tx, answers: Sequence[tuple[Due, webhooks.Answer]]) -> None:
    """Keep how attempts ended: done, again later, or parked for a person."""
    now = tx.clock.now()
    for due, answer in sorted(answers, key=lambda one: one[0].id):
        pause = None if answer.is_final else webhooks.pause_after(due.attempts)
        state = DeliveryState.WAITING
        if answer.is_taken:
            state = DeliveryState.DONE
        elif pause is None:
            state = DeliveryState.PARKED
        values: dict[str, Any] = {"state": state.value, "status": answer.status}
        values["problem"] = answer.problem
        if state is DeliveryState.WAITING and pause is not None:
            values["due_at"] = now + pause
        else:
            values["settled_at"] = now
        # Whoever was slower than the lease, or whose delivery was dropped meanwhile, changes nothing.
        kept = await tx.scalars(
            update(WebhookDelivery)
            .where(
                col(WebhookDelivery.id) == due.id,
                col(WebhookDelivery.state) == DeliveryState.WAITING.value,
                col(WebhookDelivery.attempts) == due.attempts,
            )
            .values(**values)
            .returning(col(WebhookDelivery.id))
        )
        if kept.all() and state is not DeliveryState.WAITING:
            end = StepState.DONE if answer.is_taken else StepState.FAILED
            await _settle_steps(tx, [due.id], end, answer.problem)


async def _settle_steps(tx: Tx, ids: Sequence[UUID], state: StepState, reason: str) -> None:
    if ids:
        await tx.execute(
            update(Step)
            .where(col(Step.id).in_(sorted(ids)))
            .values(state=state.value, reason=reason, settled_at=tx.clock.now())
        )


async def _open(tx: Tx, webhook_id: UUID) -> Webhook:
    webhook = await _locked(tx, webhook_id)
    if webhook.closed_at is not None:
        raise WebhookClosed(f"{webhook.name} was closed; make another one")
    return webhook


async def _locked(tx: Tx, webhook_id: UUID) -> Webhook:
    rows = await tx.scalars(select(Webhook).where(col(Webhook.id) == webhook_id).with_for_update())
    webhook: Webhook | None = rows.first()
    if webhook is None:
        raise WebhookUnknown(f"There is no webhook {webhook_id}")
    return webhook


def _allowed(tx: ReadTx) -> tuple[Network, ...]:
    return networks(tx.settings(CampaignSettings).webhook_networks)
