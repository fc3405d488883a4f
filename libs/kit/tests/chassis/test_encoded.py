"""Rows and events that were made beside the event loop: nothing of them is lost, and they are cut as others are."""

from uuid import UUID

import orjson

from kantis_contracts.base import MAX_BYTES, MAX_ITEMS
from kantis_kit.ids import id_texts, id_time, new_id, new_id_text
from kantis_kit.outbox import Encoded, cut
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.tx import write


def made(count, size=1):
    return [orjson.dumps({"id": str(new_id()), "name": f"{n}" * size}) for n in range(count)]


def test_items_that_are_json_already_are_cut_as_others_are_and_none_is_lost():
    items = made(2 * MAX_ITEMS + 1)

    pieces = list(cut(Encoded(ThingMadeV1, items)))

    read = [ThingMadeV1.model_validate_json(one).items for one in pieces]
    assert [MAX_ITEMS, MAX_ITEMS, 1] == [len(one) for one in read]
    assert [f"{n}" for n in range(len(items))] == [item.name for one in read for item in one]


def test_large_items_share_a_piece_as_long_as_it_holds_them_and_one_that_is_larger_travels_alone():
    items = made(9, MAX_BYTES // 4) + made(1, MAX_BYTES)

    pieces = list(cut(Encoded(ThingMadeV1, items)))

    assert [3, 3, 3, 1] == [len(orjson.loads(one)["items"]) for one in pieces]
    assert all(len(one) <= MAX_BYTES for one in pieces[:-1])
    assert [] == list(cut(Encoded(ThingMadeV1, [])))


async def test_rows_as_text_and_their_event_are_there_together_or_not_at_all(rig_for):
    rig = await rig_for(SPEC, start=False)
    pool = await rig.service.database.pool()
    items = [Made(id=new_id(), name="one").model_dump_json().encode()]

    async with write(rig.service.scope) as tx:
        await tx.copy_text("effect", ("id", "name", "times"), f"{new_id()}\tÅ\\tb\t3\n".encode())
        tx.stage(Encoded(ThingMadeV1, items))

    row = await pool.fetchrow("SELECT name, times FROM effect")
    staged = await pool.fetchrow("SELECT type, data FROM outbox")
    assert ("Å\tb", 3) == (row["name"], row["times"])
    assert (ThingMadeV1.type, ["one"]) == (
        staged["type"],
        [item["name"] for item in orjson.loads(staged["data"])["items"]],
    )


def test_ids_as_text_are_ids_in_the_order_of_their_making():
    ids = [new_id_text() for _ in range(1_000)]

    assert sorted(ids) == ids
    assert 1_000 == len({UUID(one) for one in ids})
    assert abs((id_time(UUID(ids[0])) - id_time(new_id())).total_seconds()) < 60


def test_what_stands_beside_the_items_is_in_every_piece_and_counts_for_its_size():
    items = made(9, MAX_BYTES // 4)
    shared = orjson.dumps({"note": "Å" * 1_000, "more": [1]})

    pieces = list(cut(Encoded(ThingMadeV1, items, shared=shared)))

    assert 9 == sum(len(ThingMadeV1.model_validate_json(one).items) for one in pieces)
    assert all(len(one) <= MAX_BYTES for one in pieces)
    assert {("Å" * 1_000, 1)} == {
        (told["note"], *told["more"]) for told in map(orjson.loads, pieces)
    }
    assert pieces == list(cut(Encoded(ThingMadeV1, items, shared=shared).ahead()))


def test_ids_are_written_as_texts_together():
    ids = [new_id() for _ in range(3)]

    assert [str(one) for one in ids] == id_texts(ids)
    assert [] == id_texts([])
