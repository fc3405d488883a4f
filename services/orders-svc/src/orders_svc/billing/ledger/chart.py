"""The chart of accounts: a number and a name for each account of the ledger, and where wanted one per VAT rate.

The defaults are those of the country of the company; `ledger_accounts` in the settings declares others. A key is the
account, or `account/rate`.

Sources: NS 4102 (NO), BAS 2026 (SE); for DK and FI, where no chart is prescribed, a usual one; 2026-11.
"""

from decimal import Decimal
from typing import Final

from orders_svc.billing.model import Account
from orders_svc.settings import OrdersSettings

_Chart = dict[str, tuple[str, str]]
CHARTS: Final[dict[str, _Chart]] = {
    "NO": {
        "receivables": ("1500", "Kundefordringer"),
        "revenue": ("3000", "Salgsinntekt, avgiftspliktig"),
        "revenue/0": ("3100", "Salgsinntekt, avgiftsfri"),
        "vat": ("2700", "Utgående merverdiavgift, høy sats"),
        "vat/15": ("2701", "Utgående merverdiavgift, middels sats"),
        "vat/12": ("2702", "Utgående merverdiavgift, lav sats"),
        "bank": ("1920", "Bankinnskudd"),
        "customer_credit": ("2900", "Forskudd fra kunder"),
        "unmatched": ("2990", "Uplasserte innbetalinger"),
        "claims": ("1505", "Purregebyr og renter til gode"),
        "fee_income": ("3960", "Purregebyr"),
        "interest_income": ("8055", "Renteinntekt, kunder"),
        "exchange": ("1909", "Valutaoppgjør"),
        "refunds": ("2995", "Tilbakebetalinger"),
        "agency": ("1570", "Fordring på inkassobyrå"),
        "agency_costs": ("6750", "Inkassokostnader"),
    },
    "SE": {
        "receivables": ("1510", "Kundfordringar"),
        "revenue": ("3001", "Försäljning, 25 % moms"),
        "revenue/12": ("3002", "Försäljning, 12 % moms"),
        "revenue/6": ("3003", "Försäljning, 6 % moms"),
        "revenue/0": ("3004", "Försäljning, momsfri"),
        "vat": ("2611", "Utgående moms, 25 %"),
        "vat/12": ("2621", "Utgående moms, 12 %"),
        "vat/6": ("2631", "Utgående moms, 6 %"),
        "bank": ("1930", "Företagskonto"),
        "customer_credit": ("2420", "Förskott från kunder"),
        "unmatched": ("2999", "OBS-konto"),
        "claims": ("1515", "Avgifter och räntor att få"),
        "fee_income": ("3593", "Påminnelseavgifter"),
        "interest_income": ("8313", "Ränteintäkter, kunder"),
        "exchange": ("1980", "Valutaavräkning"),
        "refunds": ("2421", "Återbetalningar"),
        "agency": ("1689", "Fordran på inkassobyrå"),
        "agency_costs": ("6064", "Inkassokostnader"),
    },
    "DK": {
        "receivables": ("5600", "Tilgodehavender fra salg"),
        "revenue": ("1010", "Salg, momspligtigt"),
        "revenue/0": ("1050", "Salg, momsfrit"),
        "vat": ("6902", "Salgsmoms"),
        "bank": ("5820", "Bank"),
        "customer_credit": ("6750", "Forudbetalinger fra kunder"),
        "unmatched": ("6890", "Uplacerede indbetalinger"),
        "claims": ("5610", "Tilgodehavende gebyrer og renter"),
        "fee_income": ("1350", "Rykkergebyrer"),
        "interest_income": ("4010", "Renteindtægter, kunder"),
        "exchange": ("5830", "Valutaafregning"),
        "refunds": ("6760", "Tilbagebetalinger"),
        "agency": ("5620", "Tilgodehavende hos inkassobureau"),
        "agency_costs": ("3650", "Inkassoomkostninger"),
    },
    "FI": {
        "receivables": ("1701", "Myyntisaamiset"),
        "revenue": ("3000", "Myynti"),
        "revenue/0": ("3360", "Veroton myynti"),
        "vat": ("2939", "Arvonlisäverovelka"),
        "bank": ("1910", "Pankkitili"),
        "customer_credit": ("2830", "Saadut ennakot"),
        "unmatched": ("2980", "Selvittämättömät maksut"),
        "claims": ("1711", "Maksu- ja korkosaamiset"),
        "fee_income": ("3980", "Muistutusmaksut"),
        "interest_income": ("9260", "Korkotuotot, asiakkaat"),
        "exchange": ("1920", "Valuuttaselvittely"),
        "refunds": ("2835", "Palautukset"),
        "agency": ("1765", "Saamiset perintätoimistolta"),
        "agency_costs": ("8450", "Perintäkulut"),
    },
}


def account_number(
    account: Account, vat_pct: Decimal | None, settings: OrdersSettings
) -> tuple[str, str]:
    """Return the number and the name of an account, at a rate where the chart tells rates apart."""
    chart = CHARTS.get(settings.company_country, CHARTS["NO"])
    keys = [account.value]
    if vat_pct is not None:
        keys.insert(0, f"{account.value}/{vat_pct.normalize():f}")
    for key in keys:
        declared = settings.ledger_accounts.get(key)
        if declared is not None:
            return declared, chart.get(key, chart[account.value])[1]
    return next(chart[key] for key in keys if key in chart)
