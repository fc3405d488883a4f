"""The orders of a portion of rows are placed together: in as many statements however many rows there are."""

from collections import Counter

import pytest
from sqlalchemy import event

from orders_svc.main import SPEC


@pytest.fixture
def statements(sender):
    """Count what was sent to the database; many rows one by one are many."""
    found = Counter()

    def count(_connection, _cursor, statement, parameters, _context, executemany):
        words = statement.replace('"', "").split()
        verb = next((one for one in words if one in ("INSERT", "UPDATE", "SELECT", "DELETE")), "")
        at = words.index(verb) + (2 if verb in ("INSERT", "DELETE") else 1) if verb else 0
        name = "" if verb == "SELECT" else words[at]
        found[f"{verb} {name}".strip()] += len(parameters) if executemany else 1

    engine = sender.desk.rig.service.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    yield found
    event.remove(engine, "before_cursor_execute", count)


@pytest.fixture
async def sender(rig_for, desk_of, sender_of):
    """A desk at which many rows share a transaction."""
    rig = await rig_for(SPEC, settings={"orders": {"response_file_rows": 100}})
    async with desk_of(rig) as desk:
        yield sender_of(desk)


def table(codes):
    return "".join(
        f"{row}\r\n" for row in ("KODE;SVAR;BARN", *(f"{one};J;1" for one in codes))
    ).encode()


async def test_the_orders_of_a_portion_are_so_many_statements_however_many_rows_it_has(
    sender, statements
):
    codes = await sender.pieces(42)
    await sender.csv()
    await sender.send(table(codes[:1]))  # calendars are read and numbers drawn for the first time
    counted = []
    for part in (codes[1:3], codes[3:]):
        statements.clear()
        await sender.send(table(part))
        counted.append(Counter(statements))

    few, many = counted
    assert abs(many["SELECT"] - few["SELECT"]) < len(codes[3:]), "a loop may look once more"
    assert {1} == {
        many[name]
        for name in (
            "INSERT sales_order", "INSERT order_line", "INSERT basket", "INSERT reservation", "UPDATE response", "INSERT response",
        )
    }  # fmt: skip
    assert [(42,)] == await sender.desk.rows(
        "SELECT count(*) FROM response JOIN sales_order USING (order_id) WHERE next_step = 'ship_order'"
    )


async def test_of_one_customers_orders_in_a_portion_the_first_that_fit_are_not_held(sender):
    codes = await sender.pieces(5)
    ((person_id,),) = await sender.desk.rows("SELECT person_id FROM person")
    limit = {"credit_limit_minor": 2 * sender.desk.price}
    await sender.client.put(f"/v1/credit/customers/{person_id}", json=limit)
    await sender.csv()

    await sender.send(table(codes))
    holds = (await sender.desk.get("/v1/credit/holds"))["items"]

    price = sender.desk.price
    assert [2 * price, 3 * price, 4 * price] == sorted(one["owed_minor"] for one in holds)
