"""Invoices that are paid in parts: kept, nobody is reminded; late, the part is dunned as if it were an invoice."""

PATH = "/v1/invoices/{}/instalments"


async def test_a_plan_that_is_kept_is_left_alone_and_a_late_part_is_dunned_by_its_own_day(house):
    async with house() as debtors:
        invoice = await debtors.owes()
        path = PATH.format(invoice["invoice_id"])
        made = await debtors.desk.client.post(path, json={"count": 3, "first_on": "2026-03-31"})
        await debtors.on(2026, 3, 30)
        quiet = await debtors.case(invoice)
        await debtors.desk.pay(invoice["reference"], 8_300)
        await debtors.on(2026, 4, 20)
        kept = await debtors.desk.get(path)
        await debtors.on(2026, 5, 18)
        late = await debtors.case(invoice)
        (reminder,) = debtors.told()

        assert [("2026-03-31", 8_300), ("2026-04-30", 8_300), ("2026-05-31", 8_300)] == [
            (one["due_on"], one["amount_minor"]) for one in made.json()["parts"]
        ]
        assert [] == quiet["steps"]
        assert [0, 8_300, 8_300] == [one["open_minor"] for one in kept["parts"]]
        assert 0 == kept["overdue_minor"]
        assert [("remind", 3_500)] == [(one["step"], one["fee_minor"]) for one in late["steps"]]
        assert "due 2026-04-30" in late["steps"][0]["why"]
        assert "83,00\xa0kr" == reminder.facts["principal"]


async def test_a_plan_that_does_not_fit_is_refused_with_what_is_open(house):
    async with house() as debtors:
        invoice = await debtors.owes()
        path = PATH.format(invoice["invoice_id"])
        part = {"due_on": "2026-04-01", "amount_minor": 100}
        later = {"due_on": "2026-05-01", "amount_minor": 24_800}
        answers = [
            await debtors.desk.client.post(path, json=body)
            for body in (
                {},
                {"count": 3},
                {"parts": [part]},
                {"parts": [later, part]},
                {"parts": [{**part, "due_on": "2026-01-01"}, later]},
                {"count": 2, "first_on": "2026-04-01", "with_fee": True},
                {"parts": [part, later]},
                {"parts": [part, later]},
            )
        ]
        ended = await debtors.desk.client.delete(path)
        none = await debtors.desk.client.get(path)
        await debtors.desk.pay(invoice["reference"], 24_900)
        paid = await debtors.desk.client.post(path, json={"parts": [part, later]})

        assert [422, 422, 422, 422, 422, 409, 201, 409] == [one.status_code for one in answers]
        assert "24900 is open" in answers[2].json()["detail"]
        assert "NO gives no fee" in answers[5].json()["detail"]
        assert (204, 404, 409) == (ended.status_code, none.status_code, paid.status_code)
