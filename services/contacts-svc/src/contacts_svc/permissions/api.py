"""Permissions at the API: the ledger, decisions, suppressions, topics and preferences."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from contacts_svc.people import queries as people
from contacts_svc.permissions import queries, usecases
from contacts_svc.permissions.decide import decide
from contacts_svc.permissions.gather import gather
from contacts_svc.permissions.rules_table import RULES
from contacts_svc.permissions.schemas import (
    AddressAsked,
    AddressSuppressionIn,
    DecisionOut,
    FactsOut,
    LedgerOut,
    PermissionIn,
    PermissionOut,
    ProofOut,
    RuleOut,
    SuppressionIn,
    SuppressionOut,
    TopicIn,
    TopicKey,
    TopicOut,
    WishesIn,
    WishesOut,
)
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, encode_cursor, read_cursor
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant

router = Router(prefix="/v1/contacts/{contact_id}/permissions", tags=["permissions"])
of_contact = Router(prefix="/v1/contacts/{contact_id}", tags=["permissions"])
everybody = Router(prefix="/v1/permissions", tags=["permissions"])
topics = Router(prefix="/v1/topics", tags=["permissions"])


@router.get("", policy=needs("contacts:read"))
async def list_permissions(contact_id: UUID, tx: Read) -> list[PermissionOut]:
    """Return what a contact allows now."""
    await people.get_contact(tx, contact_id)
    return await queries.list_permissions(tx, contact_id)


@router.get("/proof", policy=needs("contacts:read"))
async def prove(contact_id: UUID, tx: Read) -> list[ProofOut]:
    """Prove it: every entry with its words, source and evidence, in order. Kept when the contact is erased."""
    return await queries.list_proof(tx, contact_id)


@router.post("", policy=needs("contacts:write"), status_code=201)
async def record_permission(contact_id: UUID, body: PermissionIn, tx: Write) -> list[PermissionOut]:
    """Enter a yes or no that was given outside our pages; returns what the contact allows now."""
    await usecases.record_by_hand(tx, contact_id, body)
    return await queries.list_permissions(tx, contact_id)


@router.get("/decision", policy=needs("contacts:read"))
async def decide_for(
    contact_id: UUID,
    tx: Read,
    channel: Channel,
    message_class: MessageClass,
    *,
    purpose: Annotated[
        Purpose | None, Query(description="The purpose of the class when left out")
    ] = None,
    topic: Annotated[str | None, Query(max_length=60, pattern=r"^[a-z0-9_-]+$")] = None,
    list_id: UUID | None = None,
    recipient: Annotated[
        RecipientKind | None,
        Query(description="In what role the person is written to; the contact's own when left out"),
    ] = None,
    at: Annotated[Instant | None, Query(description="As of a moment; now when left out")] = None,
) -> DecisionOut:
    """Say whether a message may go out to a contact, by which rule of which law, and from which facts."""
    moment = at or tx.clock.now()
    facts = await gather(
        tx,
        contact_id,
        channel,
        message_class,
        at=moment,
        purpose=purpose,
        recipient=recipient,
        topic=topic,
        list_id=list_id,
    )
    decision = decide(facts)
    return DecisionOut(
        verdict=decision.verdict,
        rule_id=decision.rule_id,
        need=decision.need,
        source=decision.source,
        reason=decision.reason,
        words=decision.words,
        at=moment,
        facts=FactsOut.model_validate(facts),
        ledger_ids=facts.ledger_ids,
    )


@of_contact.get("/suppressions", policy=needs("contacts:read"))
async def list_suppressions(contact_id: UUID, tx: Read) -> list[SuppressionOut]:
    """Return the scopes in which a contact's addresses are suppressed."""
    return await queries.list_suppressions(tx, contact_id)


@of_contact.post("/suppressions", policy=needs("contacts:write"), status_code=201)
async def suppress_contact(
    contact_id: UUID, body: SuppressionIn, tx: Write
) -> list[SuppressionOut]:
    """Suppress a contact's addresses in a scope; this outlives the contact."""
    await usecases.suppress_contact(tx, contact_id, body)
    return await queries.list_suppressions(tx, contact_id)


@of_contact.delete(
    "/suppressions/{suppression_id}",
    policy=needs("contacts:write", privileged=True),
    status_code=204,
)
async def lift_for_contact(contact_id: UUID, suppression_id: UUID, tx: Write) -> None:
    """Take a suppression away; it gives back no permission."""
    await usecases.lift(tx, suppression_id, owner=contact_id)


@of_contact.get("/preferences", policy=needs("contacts:read"))
async def get_wishes(contact_id: UUID, tx: Read) -> WishesOut:
    """Return how a contact wants to be written to."""
    await people.get_contact(tx, contact_id)
    return await queries.get_wishes(tx, contact_id)


@of_contact.put("/preferences", policy=needs("contacts:write"))
async def set_wishes(contact_id: UUID, body: WishesIn, tx: Write) -> WishesOut:
    """Keep how a contact wants to be written to, in place of what was kept before."""
    await usecases.set_wishes(tx, contact_id, body)
    return await queries.get_wishes(tx, contact_id)


@everybody.get("/ledger", policy=needs("contacts:read"))
async def page_ledger(
    tx: Read,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Page[LedgerOut]:
    """Read the ledger of everybody in the order of its entries, for whoever audits it."""
    after = read_cursor(cursor, int)
    items, more = await queries.page_ledger(tx, after=after[0] if after else 0, limit=limit)
    return Page(items=items, next_cursor=encode_cursor(more) if more else None)


@everybody.get("/rules", policy=needs("contacts:read"))
async def list_rules() -> list[RuleOut]:
    """Return the table of rules, each with the law it comes from and the days on which it holds."""
    return [RuleOut.model_validate(rule) for rule in RULES]


@everybody.post("/suppressions", policy=needs("contacts:write"), status_code=201)
async def suppress_address(body: AddressSuppressionIn, tx: Write) -> list[SuppressionOut]:
    """Suppress an address in a scope, whether or not it belongs to a contact; only its keyed hash is kept."""
    key = queries.read_key(body.email, body.phone)
    await usecases.suppress_address(tx, key, body)
    return await queries.check_address(tx, key)


@everybody.post("/suppressions/check", policy=needs("contacts:read"))
async def check_address(body: AddressAsked, tx: Read) -> list[SuppressionOut]:
    """Return the scopes in which an address is suppressed. A POST, so that the address stands in no log."""
    return await queries.check_address(tx, queries.read_key(body.email, body.phone))


@everybody.delete(
    "/suppressions/{suppression_id}",
    policy=needs("contacts:write", privileged=True),
    status_code=204,
)
async def lift(suppression_id: UUID, tx: Write) -> None:
    """Take a suppression away; it gives back no permission."""
    await usecases.lift(tx, suppression_id)


@topics.get("", policy=needs("contacts:read"))
async def list_topics(tx: Read) -> list[TopicOut]:
    """Return the topics in the order in which they are offered."""
    return await queries.list_topics(tx)


@topics.put("/{key}", policy=needs("contacts:write"))
async def set_topic(key: TopicKey, body: TopicIn, tx: Write) -> TopicOut:
    """Make a topic or change it; a closed one is no longer offered."""
    await usecases.set_topic(tx, key, body)
    return await queries.get_topic(tx, key)
