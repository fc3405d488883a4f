"""From released pieces to a printed batch that a printing house has, once and for all."""

import csv
import io
from datetime import timedelta

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.messaging import LetterIdentifiedV1, MessageSettledV1, SettledState
from kantis_contracts.orders import (
    Notice,
    NoticeRequestedV1,
    PostKind,
    PostReason,
    PostReturned,
    PostReturnedV1,
)
from kantis_contracts.values import Channel, PostalAddress
from kantis_kit.ids import new_id
from messaging_svc.addresses import address_hash

HOUSE = {"printing_house": "Trykkeriet AS"}


def _rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


async def test_pieces_become_one_sorted_batch_whose_codes_are_read_back_and_end_accepted(
    desk, printed
):
    people = [desk.person(n) for n in range(4)]
    await desk.settle(*people)
    launch = await desk.launch(people)

    batch = await desk.batch()
    pdf = await desk.call("GET", f"{batch['id']}/letters.pdf")
    manifest = _rows(await desk.call("GET", f"{batch['id']}/manifest.csv"))
    handed = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)
    ended = await desk.house.until_ended(4)
    await desk.house.rig.drain()

    assert (4, 4) == (batch["letters"], batch["pages"])
    assert pdf.content.startswith(b"%PDF-1.4")
    assert b"<pdfaid:part>1</pdfaid:part>" in pdf.content
    assert ["8997", "8998", "8999", "9000"] == [row["postal_code"] for row in manifest]
    codes = {piece.person_id: piece.response_code for piece in launch.items}
    assert [codes[one.person_id] for one in reversed(people)] == [
        row["response_code"] for row in manifest
    ]
    hand = printed(pdf.content)
    for row in (manifest[0], manifest[-1]):
        code, page = row["response_code"], int(row["first_page"])
        assert {f"http://kantis.test/r/{code}", code} == hand.answer_codes(page)
        assert {row["return_code"]} == hand.return_mark(page)
    assert "2123400" + f"{batch['number']:07d}000001" == manifest[0]["return_code"]
    assert (200, "handed_over") == (handed.status_code, handed.json()["state"])
    assert {("accepted", f"batch {batch['number']}, Trykkeriet AS")} == {
        (row["state"], row["reason"]) for row in ended
    }
    settled = desk.house.rig.items(MessageSettledV1)
    assert {("letter", SettledState.ACCEPTED)} == {(one.channel, one.state) for one in settled}
    assert {piece.piece_id for piece in launch.items} == {one.piece_id for one in settled}


async def test_a_reminder_on_paper_needs_neither_an_e_mail_address_nor_a_permission(desk):
    kari = desk.person(0, email=None)
    await desk.settle(kari, permit=False)
    reminder = Notice(
        notice_id=new_id(),
        person_id=kari.person_id,
        kind="payment_reminder",
        channel=Channel.LETTER,
        facts={"invoice_number": "2026-000001", "amount": "284,00 kr", "due_on": "1. mai 2026"},
    )
    await desk.house.rig.publish(NoticeRequestedV1(items=(reminder,)))
    await desk.house.rig.drain()

    batch = await desk.batch()
    handed = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)
    (ended,) = await desk.house.until_ended(1)

    assert (1, 200) == (batch["letters"], handed.status_code)
    assert ("letter", "accepted") == (ended["channel"], ended["state"])


async def test_who_says_no_after_the_print_stops_the_hand_over_and_is_left_out_of_the_next_print(
    desk,
):
    kari, ola = desk.person(0), desk.person(1)
    await desk.settle(kari, ola)
    await desk.launch([kari, ola])
    batch = await desk.batch()
    await desk.permit([kari.person_id], state="withdrawn", version=2)
    await desk.house.rig.drain()

    refused = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)
    none = [row for row in await desk.house.rows() if row["state"] == "accepted"]
    again = await desk.call("POST", f"{batch['id']}/reprint")
    printed_anew = await desk.until(batch["id"], "ready")
    handed = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)

    assert (409, "letters-overturned") == (
        refused.status_code,
        refused.json()["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1],
    )
    assert ["letter 2"] == [one["message"] for one in refused.json()["errors"]]
    assert [] == none
    assert (202, 1, 200) == (again.status_code, printed_anew["letters"], handed.status_code)
    states = {row["person_id"]: (row["state"], row["rule"]) for row in await desk.house.rows()}
    assert ("suppressed", "permission_withdrawn") == states[kari.person_id]
    assert "accepted" == states[ola.person_id][0]


async def test_who_moves_before_the_hand_over_gets_the_letter_at_the_new_address(desk):
    kari = desk.person(0)
    await desk.settle(kari)
    await desk.launch([kari])
    batch = await desk.batch()
    moved = PostalAddress(street="Nygata 7", postal_code="5003", city="BERGEN", country="NO")
    await desk.house.rig.publish(
        PersonChangedV1(items=(kari.model_copy(update={"version": 2, "address": moved}),))
    )
    await desk.house.rig.drain()

    refused = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)
    await desk.call("POST", f"{batch['id']}/reprint")
    await desk.until(batch["id"], "ready")
    (row,) = _rows(await desk.call("GET", f"{batch['id']}/manifest.csv"))

    assert 409 == refused.status_code
    assert ("Nygata 7", "5003") == (row["street"], row["postal_code"])


async def test_a_mailbox_that_takes_no_mail_keeps_no_letter_from_its_owner_but_a_no_does(desk):
    gone, worn, objects = (desk.person(n) for n in range(3))
    await desk.settle(gone, worn, objects)
    await desk.launch([gone, worn, objects])
    pool = await desk.house.rig.service.database.pool()
    for one, reason in ((gone, "hard_bounce"), (worn, "soft_bounces"), (objects, "objection")):
        await pool.execute(
            "INSERT INTO suppression (address_hash, id, reason, note, added_by, added_at)"
            " VALUES ($1, $2, $3, '', 'a test', $4)",
            address_hash(one.email),
            new_id(),
            reason,
            desk.house.rig.clock.now(),
        )

    batch = await desk.batch()
    handed = await desk.call("POST", f"{batch['id']}/hand-over", json=HOUSE)
    rules = {row["person_id"]: (row["state"], row["rule"]) for row in await desk.house.rows()}

    assert (2, 200) == (batch["letters"], handed.status_code)
    assert ("accepted", "allowed") == rules[gone.person_id] == rules[worn.person_id]
    assert ("suppressed", "address_suppressed") == rules[objects.person_id]


async def test_the_gate_decides_on_letters_as_on_everything_else(desk):
    nowhere = desk.person(0, address=None)
    back = desk.person(1, undeliverable=("address",))
    never = desk.person(2)
    stopped = desk.person(3, do_not_contact=True)
    swede = desk.person(
        4,
        address=PostalAddress(
            street="Vägen 1", postal_code="111 22", city="STOCKHOLM", country="SE"
        ),
    )
    await desk.settle(nowhere, back, stopped, swede)
    await desk.settle(never, permit=False)
    await desk.launch([nowhere, back, never, stopped, swede])

    batch = await desk.batch()
    rules = {row["person_id"]: (row["state"], row["rule"]) for row in await desk.house.rows()}
    waiting = await desk.call("GET", "../waiting")

    assert (0, 0) == (batch["letters"], batch["pages"])
    assert ("suppressed", "no_address") == rules[nowhere.person_id]
    assert ("suppressed", "address_undeliverable") == rules[back.person_id]
    assert ("suppressed", "no_permission") == rules[never.person_id]
    assert ("suppressed", "do_not_contact") == rules[stopped.person_id]
    assert ("planned", "") == rules[swede.person_id]
    assert [{"country": "SE", "letters": 1}] == waiting.json()["items"]


async def test_a_batch_that_is_given_up_is_sent_with_another_one_and_its_files_go(desk):
    kari = desk.person(0)
    await desk.settle(kari)
    await desk.launch([kari])
    first = await desk.batch()

    given_up = await desk.call("POST", f"{first['id']}/discard")
    late = await desk.call("POST", f"{first['id']}/hand-over", json=HOUSE)
    gone = await desk.call("GET", f"{first['id']}/letters.pdf")
    second = await desk.batch()
    await desk.call("POST", f"{second['id']}/hand-over", json=HOUSE)
    desk.house.rig.clock.advance(timedelta(days=31))
    await desk.house.rig.drain()
    after = await desk.call("GET", f"{second['id']}/letters.pdf")

    assert [200, 409, 409, 409] == [one.status_code for one in (given_up, late, gone, after)]
    assert 1 == second["letters"]
    assert "deleted" in after.json()["detail"]
    (row,) = await desk.house.rows()
    assert "accepted" == row["state"]


async def test_a_press_that_died_is_followed_by_another_that_prints_the_same_letters(desk):
    people = [desk.person(n) for n in range(2)]
    await desk.settle(*people)
    await desk.launch(people)
    batch = await desk.batch()
    pool = await desk.house.rig.service.database.pool()
    await pool.execute("UPDATE letter_batch SET state = 'printing', worked_on_until = NULL")
    await pool.execute("NOTIFY kantis_letters")

    again = await desk.until(batch["id"], "ready")

    assert (2, 2) == (again["letters"], again["pages"])
    assert ["claimed", "claimed"] == [row["state"] for row in await desk.house.rows()]


async def test_one_letter_is_fetched_alone_and_found_by_its_return_mark(desk, printed):
    people = [desk.person(n) for n in range(2)]
    await desk.settle(*people)
    await desk.launch(people)
    batch = await desk.batch()
    row = _rows(await desk.call("GET", f"{batch['id']}/manifest.csv"))[1]

    alone = await desk.call("GET", f"{batch['id']}/pieces/{row['message_id']}/letter.pdf")
    found = await desk.call("GET", f"../by-return-mark/{row['return_code']}")
    stranger = await desk.call("GET", "../by-return-mark/0000000000000")

    assert row["response_code"] in printed(alone.content).answer_codes(1)
    assert row["message_id"] == found.json()["message_id"]
    assert 404 == stranger.status_code


async def test_whose_letter_came_back_is_told_by_its_return_mark(desk):
    people = [desk.person(n) for n in range(2)]
    await desk.settle(*people)
    launch = await desk.launch(people)
    batch = await desk.batch()
    row = _rows(await desk.call("GET", f"{batch['id']}/manifest.csv"))[1]
    given = {"kind": PostKind.LETTER, "reason": PostReason.MOVED}
    given["came_at"] = desk.house.rig.clock.now()
    mine, nobodys, known = (
        PostReturned(return_id=new_id(), code=code, person_id=person, **given)
        for code, person in ((row["return_code"], None), ("0", None), ("1", people[0].person_id))
    )

    await desk.house.rig.publish(PostReturnedV1(items=(mine, nobodys, known)))
    await desk.house.rig.drain()

    told = {one.return_id: one for one in desk.house.rig.items(LetterIdentifiedV1)}
    assert {mine.return_id, nobodys.return_id} == set(told)
    assert row["name"] in {
        one.full_name for one in people if one.person_id == told[mine.return_id].person_id
    }
    assert launch.campaign_id == told[mine.return_id].campaign_id
    assert told[nobodys.return_id].person_id is None


async def test_a_country_whose_window_is_not_known_is_refused_with_those_that_are(desk):
    refused = await desk.call("POST", "", json={"country": "PT"})

    assert 422 == refused.status_code
    assert "NO, SE, DK, FI, IS" in refused.json()["detail"]


async def test_a_template_without_a_letter_fails_its_pieces_and_harms_no_other(desk):
    kari = desk.person(0)
    await desk.settle(kari)
    await desk.house.save_template()
    await desk.launch([kari])

    batch = await desk.batch()

    (row,) = await desk.house.rows()
    assert ("failed", "cannot_be_written") == (row["state"], row["rule"])
    assert "holds no letter" in row["reason"]
    assert 0 == batch["letters"]


async def test_no_more_is_printed_than_the_cap_of_letters_pays_for_and_the_rest_waits(desk):
    people = [desk.person(n) for n in range(4)]
    await desk.settle(*people)
    cap = {"channel": "letter", "period": "day", "currency": "NOK", "limit_minor": 2_500}
    async with desk.house.rig.client() as client:
        assert 201 == (await client.post("/v1/sending-rules/spend-caps", json=cap)).status_code
    await desk.launch(people, cost_per_piece_minor=1_000, currency="NOK")

    first = await desk.batch()
    handed = await desk.call("POST", f"{first['id']}/hand-over", json=HOUSE)
    second = await desk.batch()
    async with desk.house.rig.client() as client:
        (shown,) = (await client.get("/v1/sending-rules/spend-caps")).json()

    assert (2, 200, 0) == (first["letters"], handed.status_code, second["letters"])
    assert (2_000, 2) == (shown["spent"][0]["spent_minor"], shown["waiting"])
    rules = [row["rule"] for row in await desk.house.rows()]
    assert (2, 2) == (rules.count("allowed"), rules.count("waits_for_budget"))
