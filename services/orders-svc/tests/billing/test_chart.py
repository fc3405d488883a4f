"""The charts of accounts: no booking is without a number in the books of a country."""

import pytest

from orders_svc.billing.ledger.chart import CHARTS
from orders_svc.billing.model import Account


@pytest.mark.parametrize("country", list(CHARTS))
def test_every_account_has_a_number_of_its_own_in_the_chart_of_a_country(country):
    chart = CHARTS[country]
    numbers = [chart[one.value][0] for one in Account]

    assert len(numbers) == len(set(numbers))
