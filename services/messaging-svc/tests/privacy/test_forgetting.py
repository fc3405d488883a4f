"""Who asks to be forgotten is forgotten here, and does not come back with an event that comes late."""

import json
import re
from datetime import timedelta

from kantis_contracts.contacts import (
    ConfirmationRequest,
    ConfirmationRequestedV1,
    PersonCard,
    PersonChangedV1,
)
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_contracts.messaging import MessagingDossierAnsweredV1, MessagingErasureCompletedV1
from kantis_contracts.orders import Notice, NoticeRequestedV1
from kantis_kit.ids import new_id
from kantis_kit.parked import encode
from kantis_kit.retention import keep
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.base import metadata
from messaging_svc.main import SPEC
from messaging_svc.privacy.retention import RULES
from messaging_svc.privacy.usecases import KEPT, doomed

SECRETS = re.compile("kari|likes blue", re.IGNORECASE)


def card(person_id, version=1):
    return PersonCard(
        person_id=person_id, version=version, preferred_name="Kari", email="kari@example.com"
    )


def asked(person_id):
    return ConfirmationRequestedV1(
        items=(
            ConfirmationRequest(
                request_id=new_id(),
                person_id=person_id,
                email="kari@example.com",
                preferred_name="Kari",
                form_key="f",
                confirm_path="/p/confirm/kari",
            ),
        )
    )


def erasure(rig, *person_ids, **more):
    return ErasureRequestedV1(
        items=(
            ErasureRequest(
                erasure_id=new_id(), person_ids=person_ids, requested_at=rig.clock.now()
            ),
        ),
        **more,
    )


async def everything(rig):
    pool = await rig.service.database.pool()
    tables = await pool.fetch(
        "SELECT quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return [
        (table["name"], row["text"])
        for table in tables
        for row in await pool.fetch(f"SELECT t::text AS text FROM {table['name']} t")
    ]


async def test_nothing_names_a_forgotten_person_and_the_receipt_says_what_went_and_what_stays(
    rig_for,
):
    rig = await rig_for(SPEC)
    kari, alias, other = new_id(), new_id(), new_id()
    notice = Notice(
        notice_id=new_id(), person_id=alias, kind="order_placed", facts={"x": "likes blue"}
    )
    await rig.publish(
        PersonChangedV1(items=(card(kari), PersonCard(person_id=other, version=1, email="o@x.no"))),
        asked(kari),
        NoticeRequestedV1(items=(notice,)),
    )
    await rig.drain()

    wanted = erasure(rig, kari, alias)
    await rig.publish(wanted)
    await rig.drain()

    assert [] == [row for row in await everything(rig) if SECRETS.search(row[1])]
    (receipt,) = rig.items(MessagingErasureCompletedV1)
    assert wanted.items[0].erasure_id == receipt.erasure_id
    assert {"dispatch": 2, "letter_address": 1, "person_card": 1} == receipt.removed
    assert {"dispatch": 2, "person_card": 2} == {one.kind: one.rows for one in receipt.kept}
    assert all(one.reason for one in receipt.kept)
    assert any("o@x.no" in text for _, text in await everything(rig))


async def test_what_comes_late_or_again_brings_nobody_back(rig_for):
    rig = await rig_for(SPEC)
    kari = new_id()
    await rig.publish(erasure(rig, kari))
    await rig.drain()

    await rig.publish(PersonChangedV1(items=(card(kari, version=9),)), asked(kari))
    await rig.drain()
    rig.clock.advance(timedelta(minutes=1, seconds=1))

    async def nobody():
        return not [row for row in await everything(rig) if SECRETS.search(row[1])]

    await eventually(nobody, message="who was forgotten came back")


async def test_a_reminder_is_answered_by_who_finds_something_alone(rig_for):
    rig = await rig_for(SPEC)
    kari = new_id()
    await rig.publish(erasure(rig, kari))
    await rig.publish(erasure(rig, kari, services=("orders",)))
    await rig.drain()
    await rig.publish(erasure(rig, kari, is_reminder=True))
    await rig.drain()
    assert 1 == len(rig.items(MessagingErasureCompletedV1))

    pool = await rig.service.database.pool()
    await pool.execute("DELETE FROM forgotten")
    await pool.execute("DELETE FROM person_card")  # as a backup from before would have it
    await rig.publish(erasure(rig, kari, is_reminder=True))
    await rig.drain()

    assert 2 == len(rig.items(MessagingErasureCompletedV1))


async def test_a_message_that_waits_in_the_service_is_emptied_for_the_forgotten_alone(rig_for):
    rig = await rig_for(SPEC)
    kari, other = new_id(), new_id()
    pool = await rig.service.database.pool()
    event = PersonChangedV1(
        items=(card(kari), PersonCard(person_id=other, version=1, full_name="Per"))
    )
    (envelope,) = await rig.publish(event)
    await rig.drain()

    await pool.execute(
        "INSERT INTO delivery (queue, event_id, state, type, envelope, reason, first_at, last_at)"
        " VALUES ('messaging.register', $1, 'parked', $2, $3, 'poison', now(), now())",
        envelope.id,
        envelope.type,
        encode(envelope),
    )

    await rig.publish(erasure(rig, kari))
    await rig.drain()

    (parked,) = await rig.parked()
    text = bytes(parked["envelope"]).decode()
    assert SECRETS.search(text) is None
    assert "Per" in text
    assert str(kari) in text
    (receipt,) = rig.items(MessagingErasureCompletedV1)
    assert 1 == receipt.removed["message_waiting"]


def test_every_table_that_names_a_person_has_a_fate():
    named = {table.name for table in metadata.sorted_tables if "person_id" in table.c}
    assert named == {table.name for table in doomed()} | (named & KEPT.keys())
    gone = {
        "refusal",
        "wish_card",
        "inbound_message",
        "vote",
        "sms_report",
        "bounce",
        "letter_address",
        "letter_piece",
        "conversation",
        "link_card",
        "insight_card",
        "call",
        "web_member",
        "web_dismissal",
    }
    assert gone >= {table.name for table in doomed()}


async def test_who_asks_is_told_what_is_held_under_every_id_and_nothing_of_others(rig_for):
    rig = await rig_for(SPEC)
    kari, alias, other = new_id(), new_id(), new_id()
    await rig.publish(
        PersonChangedV1(items=(card(kari), PersonCard(person_id=other, version=1, email="o@x.no"))),
        asked(alias),
    )
    await rig.drain()
    wanted = DossierRequest(dossier_id=new_id(), person_ids=(kari, alias))
    await rig.publish(DossierRequestedV1(items=(wanted,)))
    await rig.drain()

    (part,) = rig.items(MessagingDossierAnsweredV1)
    assert (wanted.dossier_id, 1, 1) == (part.dossier_id, part.part, part.parts)
    assert {"person_card", "dispatch"} <= json.loads(part.content).keys()
    assert "kari@example.com" in part.content
    assert "o@x.no" not in part.content
    assert str(other) not in part.content


async def test_to_whom_an_old_message_went_is_emptied_and_that_it_went_stays(rig_for):
    rig = await rig_for(SPEC)
    await rig.publish(asked(new_id()))
    await rig.drain()
    pool = await rig.service.database.pool()
    await pool.execute("UPDATE dispatch SET settled_at = $1", rig.clock.now())

    async with write(rig.service.scope) as tx:
        early = await keep(tx, RULES, service="messaging")
    rig.clock.advance(timedelta(days=731))
    async with write(rig.service.scope) as tx:
        done = await keep(tx, RULES, service="messaging")

    assert ({}, {"messaging.dispatch": 1}) == (early, done)
    assert [(None, None)] == [
        tuple(row) for row in await pool.fetch("SELECT to_email, preferred_name FROM dispatch")
    ]
