"""The decision about many people at once is the decision about each of them."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from random import Random
from uuid import UUID

from sqlalchemy import select

from contacts_svc.facts.model import OrderFact
from contacts_svc.main import SPEC
from contacts_svc.people.model import Person
from contacts_svc.permissions import decide_sql, usecases
from contacts_svc.permissions.decide import decide
from contacts_svc.permissions.gather import gather
from contacts_svc.permissions.hashes import doorstep, keyed_hash
from contacts_svc.permissions.known_sql import is_named
from contacts_svc.permissions.model import Doorstep, Register, RegisterHit, Statement, Wash
from contacts_svc.permissions.rules_table import purpose_of
from contacts_svc.permissions.schemas import SuppressionIn, WishesIn
from contacts_svc.washing.usecases import keep_doorsteps
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind
from kantis_kit.ids import new_id
from kantis_kit.tx import read, write

SECRET = "a secret"
NUMBERS = {
    "NO": "+4741234{:03}",
    "SE": "+4670123{:04}",
    "DK": "+4520123{:03}",
    "FI": "+35840123{:04}",
    "IS": "+354611{:04}",
    "DE": "+4915123456{:03}",
}
CODES = {"NO": "0155", "SE": "111 22", "DK": "1050", "FI": "00100", "IS": "101", "DE": "10115"}


async def furnish(rig, people, rng):
    """Give people words, orders, wishes, suppressions and registers of every kind."""
    now = rig.clock.now()
    async with write(rig.service.scope) as tx:
        rows = list(await tx.scalars(select(Person).order_by(Person.id)))
        for row in rows:
            row.recipient_kind = rng.choice(list(RecipientKind)).value
            row.do_not_contact = rng.random() < 0.05
            row.not_before = rng.choice([None] * 8 + [now.date(), now.date() + timedelta(days=1)])
            said = [
                Statement(
                    row.id,
                    channel,
                    purpose,
                    rng.choice(list(PermissionState)),
                    "test",
                    now,
                    legal_basis=rng.choice(["consent", "consent", "existing_customer"]),
                )
                for channel in Channel
                for purpose in (Purpose.OFFERS, Purpose.NEWSLETTER)
                if rng.random() < 0.6
            ]
            await usecases.record(tx, said)
            if rng.random() < 0.4:
                tx.add(
                    OrderFact(
                        order_id=new_id(),
                        person_id=row.id,
                        version=1,
                        total_minor=1,
                        currency="NOK",
                        placed_at=now,
                        cancelled_at=rng.choice([None, now]),
                    )
                )
            if rng.random() < 0.3:
                wishes = WishesIn(
                    topics={"garden": rng.random() < 0.5},
                    paused_until=rng.choice([None, now, now + timedelta(days=1)]),
                )
                await usecases.set_wishes(tx, row.id, wishes)
            if rng.random() < 0.15:
                scope = rng.choice(
                    [
                        SuppressionIn(scope="channel", scope_id="letter"),
                        SuppressionIn(scope="list", scope_id=str(LIST)),
                    ]
                )
                await usecases.suppress_contact(tx, row.id, scope)
        for country, days in (("NO", 1), ("SE", 1), ("DK", 100), ("IS", 1)):
            for matches in ("phone", "address"):
                register = Register(
                    id=new_id(),
                    key=f"{country.lower()}-{matches}",
                    name="x",
                    country=country,
                    channels=["phone"] if matches == "phone" else ["letter"],
                    matches=matches,
                    interval_days=31,
                    mapping={},
                    created_at=now,
                )
                tx.add(register)
                await tx.flush()  # the wash refers to it
                wash = Wash(
                    id=new_id(),
                    register_id=register.id,
                    as_of=now.date() - timedelta(days=days),
                    file_sha256="",
                    rows=1,
                    named=1,
                    refused=0,
                    actor="",
                    at=now,
                )
                tx.add(wash)
                for row in rows:
                    if rng.random() < 0.4:
                        text = (
                            f"phone:{people[row.id]}"
                            if matches == "phone"
                            else doorstep(row.full_name, row.street, row.postal_code)
                        )
                        tx.add(
                            RegisterHit(
                                register_id=register.id,
                                hash=keyed_hash(SECRET.encode(), text),
                                wash_id=wash.id,
                            )
                        )


async def move(rig, rng):
    """Work out by which hashes registers name people, and have some move after that: some are named at their new home."""
    async with write(rig.service.scope) as tx:
        assert None is await keep_doorsteps(tx, None)
        kept = list(await tx.scalars(select(Doorstep).order_by(Doorstep.person_id)))
        assert 24 == len(kept)  # of the four countries that have such registers
        hits = list(await tx.scalars(select(RegisterHit).order_by(RegisterHit.hash)))
        for number, row in enumerate(await tx.scalars(select(Person).order_by(Person.id))):
            if number % 4 == 0:
                row.street = "Havnegata 7"
                text = doorstep(row.full_name, row.street, row.postal_code)
                if rng.random() < 0.5:
                    for hit in {one.register_id: one for one in hits}.values():
                        digest = keyed_hash(SECRET.encode(), text)
                        tx.add(
                            RegisterHit(
                                register_id=hit.register_id, hash=digest, wash_id=hit.wash_id
                            )
                        )
        for one in kept[::5]:
            await tx.delete(one)


LIST = new_id()


async def test_the_answer_for_many_is_the_answer_for_each(rig_for):
    rig = await rig_for(SPEC, settings={"contacts": {"suppression_key": SECRET}}, start=False)
    rng = Random(20261122)
    people = {}
    async with rig.client() as client:
        for number, country in enumerate(list(NUMBERS) * 6):
            phone = NUMBERS[country].format(100 + number)
            answer = await client.post(
                "/v1/contacts",
                json={
                    "full_name": f"Åse Nes {number}",
                    "email": f"p{number}@example.com",
                    "phone": phone,
                    "country": country,
                    "address": {
                        "street": f"Storgata {number}",
                        "postal_code": CODES[country],
                        "city": "Oslo",
                    },
                },
            )
            assert 201 == answer.status_code, answer.text
            people[answer.json()["id"]] = phone
    people = {UUID(key): value for key, value in people.items()}
    await furnish(rig, people, rng)
    await move(rig, rng)

    asked = [
        *product(Channel, (MessageClass.MARKETING, MessageClass.NEWSLETTER), (None,), (None,)),
        *product((Channel.EMAIL, Channel.PHONE), MessageClass, (None,), (None,)),
        (Channel.LETTER, MessageClass.MARKETING, "garden", None),
        (Channel.LETTER, MessageClass.MARKETING, None, LIST),
    ]
    verdicts = set()
    async with read(rig.service.scope) as tx:
        context = await decide_sql.load(tx)
        for channel, message_class, topic, list_id in asked:
            holds = decide_sql.allowed(
                context, channel, message_class, topic=topic, list_id=list_id
            )
            found = set(await tx.scalars(select(decide_sql.person.c.id).where(holds)))
            why = decide_sql.reason(context, channel, message_class, topic=topic, list_id=list_id)
            told = dict(tuple(row) for row in await tx.execute(select(decide_sql.person.c.id, why)))
            about = decide_sql.About(
                channel, purpose_of(message_class), topic=topic, list_id=list_id
            )
            for customers in (None, decide_sql.customers()):
                known, tables = decide_sql.joined(context, about, decide_sql.person, customers)
                holds, why = (
                    one(context, channel, message_class, topic=topic, list_id=list_id, known=known)
                    for one in (decide_sql.allowed, decide_sql.reason)
                )
                sheet = select(decide_sql.person.c.id, holds, why).select_from(tables)
                joined = [tuple(row) for row in await tx.execute(sheet)]
                assert found == {key for key, may, _ in joined if may}, (channel, message_class)
                assert sorted(told.items()) == sorted((key, said) for key, _, said in joined)
            expected, reasons = set(), {}
            for person_id in people:
                facts = await gather(
                    tx,
                    person_id,
                    channel,
                    message_class,
                    at=context.at,
                    topic=topic,
                    list_id=list_id,
                )
                decision = decide(facts)
                verdicts.add((decision.rule_id, decision.reason))
                reasons[person_id] = "" if decision.is_allowed else decision.reason.value
                if decision.is_allowed:
                    expected.add(person_id)
            assert expected == found, (channel, message_class, topic, list_id)
            assert reasons == told, (channel, message_class, topic, list_id)

        # What was worked out with another key does not count.
        context = replace(context, key=b"another secret")
        about = decide_sql.About(Channel.LETTER, Purpose.OFFERS)
        known, tables = decide_sql.joined(context, about, decide_sql.person)
        told = [
            set(
                await tx.scalars(
                    select(decide_sql.person.c.id)
                    .select_from(source)
                    .where(is_named(context, Channel.LETTER, facts))
                )
            )
            for source, facts in (
                (decide_sql.person, decide_sql.looked_up(context, about)),
                (tables, known),
            )
        ]
        assert [set(), set()] == told

    assert 40 < len(verdicts)  # the people are of many kinds
