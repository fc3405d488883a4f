"""What customers are expected to be worth."""

from datetime import datetime

from kantis_kit.web.schemas import Out


class WorthModelOut(Out):
    """The models of a currency: BG/NBD in weeks, Gamma-Gamma in minor units (null: too few bought again for money).

    Sources: Fader, Hardie and Lee, Marketing Science 24 (2005); Fader and Hardie, The Gamma-Gamma Model (2013).
    """

    currency: str
    fitted_at: datetime
    buyers: int
    repeaters: int
    r: float
    alpha: float
    a: float
    b: float
    p: float | None
    q: float | None
    v: float | None


class NotFitted(Out):
    """Why a currency has no new model."""

    currency: str
    reason: str


class FittedOut(Out):
    """What was fitted, and what could not be."""

    models: list[WorthModelOut]
    not_fitted: list[NotFitted]


class Worth(Out):
    """What a customer is expected to do in the next 52 weeks, in one currency.

    `alive` is the probability that they buy at all any more, `buying_days` on how many days they will, `day_minor` what
    they will spend on each, before returns, and `value_minor` the product; null where the model of money could not be
    fitted.
    """

    currency: str
    alive: float
    buying_days: float
    day_minor: int | None
    value_minor: int | None
    fitted_at: datetime
