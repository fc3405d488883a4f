"""The clock's daily round: each step on its day, once, with its fee as a claim of its own, and told without sales."""

from datetime import date

from orders_svc.dunning import running

SALES = ("tilbud", "rabatt", "kampanje", "kjøp", "%")


async def test_the_round_reminds_warns_and_hands_over_each_on_its_day_and_once(house):
    async with house(agency_name="Inkasso AS", dunning_grace_days=0) as debtors:
        invoice = await debtors.owes()
        await debtors.on(2026, 3, 29)
        early = await debtors.case(invoice)
        for day in (30, 31):
            await debtors.on(2026, 3, day)
        reminded = await debtors.case(invoice)
        await debtors.on(2026, 4, 14)
        await debtors.on(2026, 5, 4)
        after = await debtors.case(invoice)
        accounts = await debtors.desk.accounts()

        assert ("none", []) == (early["state"], early["steps"])
        assert ("reminded", 1) == (reminded["state"], len(reminded["steps"]))
        assert ("2026-04-13", 3_500) == (
            reminded["steps"][0]["pay_by"],
            reminded["steps"][0]["fee_minor"],
        )
        assert [
            ("remind", "2026-03-30"),
            ("warn", "2026-04-14"),
            ("hand_over", "2026-05-04"),
        ] == [(one["step"], one["taken_on"]) for one in after["steps"]]
        assert ["reminded", "warned", "with_agency"] == [
            one.state.value for one in debtors.changes()
        ]
        assert [("fee", 3_500), ("fee", 3_500)] == [
            (one["kind"], one["amount_minor"]) for one in after["claims"]
        ]
        assert (24_900, 7_000, -7_000) == (
            accounts["receivables"],
            accounts["claims"],
            accounts["fee_income"],
        )
        reminder, warning = debtors.told()
        assert ("payment_reminder", "collection_warning") == (reminder.kind, warning.kind)
        assert ("284,00\xa0kr", "13. april 2026") == (
            reminder.facts["amount"],
            reminder.facts["due_on"],
        )
        assert ("319,00\xa0kr", "70,00\xa0kr") == (
            warning.facts["amount"],
            warning.facts["fee"],
        )
        words = " ".join(reminder.facts.values()).casefold()
        assert not [word for word in SALES if word in words]


async def test_the_preview_says_who_gets_what_and_why_and_what_holds_the_others(house):
    async with house() as debtors:
        kari, swede = await debtors.owes(), await debtors.owes("FFFFF1", "SE", "SEK")
        icelander, held = await debtors.owes("GGGGG2", "IS"), await debtors.owes("HHHHH3")
        await debtors.on(2026, 3, 20)
        await debtors.take(held, "dispute")
        before = {one["number"]: one for one in await debtors.preview(date(2026, 3, 27))}
        await debtors.on(2026, 3, 30)
        shown = {one["number"]: one for one in await debtors.preview(date(2026, 4, 1))}

        assert (False, "2026-03-30", 3_500) == (
            before[kari["number"]]["is_due"],
            before[kari["number"]]["on"],
            before[kari["number"]]["fee_minor"],
        )
        assert "fee of the due dates from 2020-10-01" in before[kari["number"]]["why"]
        assert ("warn", "2026-04-17") == (  # and three days for money on its way
            shown[kari["number"]]["step"],
            shown[kari["number"]]["on"],
        )
        swedish = before[swede["number"]]
        assert ("SE", "consumer", "remind", 0) == (
            swedish["country"], swedish["debtor"], swedish["step"], swedish["fee_minor"],
        )  # fmt: skip
        assert "not agreed when the debt arose" in before[swede["number"]]["why"]
        assert "no law is kept for IS" in shown[icelander["number"]]["why"]
        assert "disputed" in shown[held["number"]]["why"]
        assert 2 == len(debtors.told())


async def test_what_is_paused_disputed_or_paid_is_left_and_a_pause_ends_on_its_day(house):
    async with house() as debtors:
        paused, disputed, paid = [
            await debtors.owes(code) for code in ("ABCDE2", "FFFFF1", "GGGGG2")
        ]
        await debtors.take(paused, "pause", until="2026-04-10", note="Asked for time by phone")
        await debtors.take(disputed, "dispute")
        await debtors.desk.pay(paid["reference"], 24_900)
        past = await debtors.take(paused, "pause", until="2026-01-01")
        await debtors.on(2026, 4, 9)
        quiet = len(debtors.told())
        await debtors.on(2026, 4, 10)
        after = await debtors.case(paused)

        assert (422, 0) == (past.status_code, quiet)
        assert ["pause", "resume", "remind"] == [one["step"] for one in after["steps"]]
        assert [str(paused["person_id"])] == [str(one.person_id) for one in debtors.told()]
        assert "disputed" == (await debtors.case(disputed))["state"]


async def test_a_payment_covers_the_fee_first_and_its_return_opens_both_again(house):
    async with house() as debtors:
        invoice = await debtors.owes()
        await debtors.on(2026, 3, 30)
        part = (await debtors.desk.pay(invoice["reference"], 24_900)).json()
        case = await debtors.case(invoice)
        rest = (await debtors.desk.pay(invoice["reference"], 3_500)).json()
        order = await debtors.desk.get(f"/v1/orders/{invoice['order_id']}")
        path = f"/v1/payments/{part['payment_id']}/reverse"
        await debtors.desk.client.post(path, json={"reason": "Recalled"})
        after = await debtors.case(invoice)
        accounts = await debtors.desk.accounts()

        assert (24_900, 21_400) == (part["applied_minor"], part["principal_minor"])
        assert (3_500, 3_500) == (case["open_minor"], case["claims"][0]["paid_minor"])
        assert (3_500, True) == (rest["principal_minor"], order["is_paid"])
        assert (21_400, 3_500) == (after["open_minor"], after["claims"][0]["open_minor"])
        assert (3_500, 21_400, 3_500) == (
            accounts["bank"],
            accounts["receivables"],
            accounts["claims"],
        )


async def test_interest_is_claimed_at_the_rate_that_was_entered_and_waived_with_the_fee(house):
    async with house() as debtors:
        path = "/v1/dunning/interest-rates/NO/consumer"
        wrong = await debtors.desk.client.put(
            f"{path}/2026-03-01", json={"pct": "12.5", "source": "Kongelig resolusjon"}
        )
        rates = await debtors.desk.client.put(
            f"{path}/2026-01-01", json={"pct": "12.5", "source": "Kongelig resolusjon"}
        )
        invoice = await debtors.owes()
        await debtors.on(2026, 3, 30)
        case = await debtors.case(invoice)
        waived = await debtors.desk.client.post(
            f"/v1/invoices/{invoice['invoice_id']}/claims/waive"
        )
        accounts = await debtors.desk.accounts()

        assert 422 == wrong.status_code
        assert "a half-year begins on 2026-01-01" in wrong.json()["detail"]
        assert ("12.500", "Kongelig resolusjon") == (
            rates.json()[0]["pct"],
            rates.json()[0]["source"],
        )
        # 249.00 at 12.5 % for the 14 days from 17 to 30 March
        assert [("fee", 3_500), ("interest", 119)] == sorted(
            (one["kind"], one["amount_minor"]) for one in case["claims"]
        )
        assert [0, 0] == [one["open_minor"] for one in waived.json()["claims"]]
        assert (0, 0, 0) == (
            accounts["claims"],
            accounts["fee_income"],
            accounts["interest_income"],
        )


async def test_a_step_before_its_lawful_day_is_refused_with_the_first_lawful_day(house):
    async with house(dunning_is_on=False) as debtors:
        invoice = await debtors.owes()
        await debtors.on(2026, 3, 29)
        early = await debtors.take(invoice, "remind", with_fee=True)
        unwarned = await debtors.take(invoice, "hand_over")
        plain = await debtors.take(invoice, "remind", taken_on="2026-03-17")
        await debtors.on(2026, 3, 30)
        paid_for = await debtors.take(invoice, "warn", with_fee=True)

        assert (422, "2026-03-30") == (early.status_code, early.json()["first_lawful_day"])
        assert "a fee is lawful 14 days after the due date" in early.json()["detail"]
        assert (409, 200) == (unwarned.status_code, plain.status_code)
        assert "warning before collection first" in unwarned.json()["detail"]
        assert [3_500] == [one["amount_minor"] for one in paid_for.json()["claims"]]


async def test_no_step_is_taken_on_a_holiday(house):
    async with house() as debtors:
        invoice = await debtors.owes()
        for day in (3, 4, 5, 6):  # Good Friday to Easter Monday
            await debtors.on(2026, 4, day)
        easter = await debtors.case(invoice)
        await debtors.on(2026, 4, 7)

        assert ([], 1) == (easter["steps"], len((await debtors.case(invoice))["steps"]))


async def test_the_round_goes_on_page_by_page_and_a_second_round_of_the_day_does_nothing(
    house, monkeypatch
):
    monkeypatch.setattr(running, "PAGE", 2)
    async with house() as debtors:
        owed = [
            await debtors.owes(code) for code in ("ABCDE2", "FFFFF1", "GGGGG2", "HHHHH3", "JJJJJ4")
        ]
        await debtors.on(2026, 3, 30)
        async with debtors.desk.tx() as tx:
            await running.begin(tx)
        await debtors.desk.drain()

        assert [1] * 5 == [len((await debtors.case(one))["steps"]) for one in owed]
        assert 5 == len(debtors.told())
