"""Rows that made no response name nobody by id: they are found by codes and numbers, told of, and emptied."""

import orjson

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_contracts.orders import OrdersDossierAnsweredV1
from kantis_kit.ids import new_id
from orders_svc.privacy import usecases
from orders_svc.privacy.rows import FORGOTTEN

REJECTS = "SELECT line, reason FROM response_reject ORDER BY file_id, row_number"
REVIEWS = """
SELECT state, read, doubts, reason, decided_by FROM response_review ORDER BY file_id, row_number
"""


async def read_some(sender):
    """Send rows of two who will be forgotten and one who will not; return the three."""
    mine = await sender.pieces(2, phone="+4741234567")
    product = await sender.desk.product(sku="OTHER")
    ola, eva = (sender.desk.person(phone="+4798765432") for _ in range(2))
    other = sender.code(50)
    await sender.desk.rig.publish(
        PersonChangedV1(items=(ola, eva)), sender.desk.piece(ola, product, other)
    )
    await sender.desk.drain()
    ((kari_id,),) = await sender.desk.rows(
        "SELECT person_id FROM person WHERE phone = '+4741234567'"
    )
    await sender.csv(
        way="optical", least_confidence=85,
        fields={"code": "KODE", "kind": "SVAR", "note": "ORD", "confidence.code": "C"},
    )  # fmt: skip
    spelt = f"{mine[0][:3]}-{mine[0][3:]}".lower()
    await sender.send(
        f"KODE;SVAR;ORD;C\n{spelt};X;zorro;99\n{mine[1]};J;zorro;20\n{other};X;ola;99\n".encode()
    )
    await sender.declare(
        "calls", form="csv", way="phone", kind="order", has_header=False,
        fields={"phone": "1", "sku": "2", "note": "3"},
    )  # fmt: skip
    await sender.send(b"412 34 567;NONE;zorro\n98765432;;ola or eva\n40000000;;nobody\n", "calls")
    return kari_id, ola.person_id, eva.person_id


async def test_rows_that_came_back_or_wait_are_told_of_and_emptied(sender):
    kari, ola, eva = await read_some(sender)
    desk = sender.desk
    before = await desk.rows(REJECTS)
    question = DossierRequest(dossier_id=new_id(), person_ids=(kari,))
    await desk.rig.publish(DossierRequestedV1(items=(question,)))
    await desk.drain()
    erasure = ErasureRequest(
        erasure_id=new_id(), person_ids=(kari, eva), requested_at=desk.rig.clock.now()
    )

    await desk.rig.publish(ErasureRequestedV1(items=(erasure,)))
    await desk.drain()

    told = [orjson.loads(part.content) for part in desk.rig.items(OrdersDossierAnsweredV1)]
    lines = [row["line"] for part in told for row in part.get("response_reject", ())]
    assert ["412 34 567;NONE;zorro", before[0][0]] == sorted(lines)
    assert ["zorro"] == [
        row["read"]["note"] for part in told for row in part.get("response_review", ())
    ]
    empty, mine = ("", FORGOTTEN), await desk.rows(REJECTS)
    assert [empty, before[1], empty, before[3]] == mine
    assert "ola" in before[1][0]
    dropped, shared = await desk.rows(REVIEWS)
    assert ("dropped", "{}", "{}", FORGOTTEN, "privacy") == dropped
    assert ("waiting", {"phone": [str(ola)]}) == (shared[0], orjson.loads(shared[2]))
    assert "ola or eva" in shared[1]


async def test_what_comes_back_of_the_forgotten_later_is_emptied_by_the_sweep(sender):
    (code,) = await sender.pieces(1)
    desk = sender.desk
    ((kari,),) = await desk.rows("SELECT person_id FROM person")
    erasure = ErasureRequest(
        erasure_id=new_id(), person_ids=(kari,), requested_at=desk.rig.clock.now()
    )
    await desk.rig.publish(ErasureRequestedV1(items=(erasure,)))
    await desk.drain()
    await sender.csv()
    await sender.send(f"KODE;SVAR;BARN\n{code};J;zorro\n".encode())
    late = await desk.rows(REJECTS)

    async with desk.tx() as tx:
        await usecases.sweep(tx, is_whole=True)

    assert "zorro" in late[0][0]
    assert [("", FORGOTTEN)] == await desk.rows(REJECTS)
