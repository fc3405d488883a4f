"""What the rates of VAT refuse."""

from kantis_kit.errors import Conflict


class VatUnknown(Conflict):
    """No rate is known for a country and a day."""

    slug, title = "vat-unknown", "No rate of VAT is known for it"


class VatRateHeld(Conflict):
    """A rate that holds already is not changed: what was sold by it stands."""

    slug, title = "vat-rate-held", "This rate holds already"
