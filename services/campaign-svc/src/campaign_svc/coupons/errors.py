"""What a till or a person is told when a coupon cannot be used."""

from kantis_kit.errors import AppError, Conflict, NotFound


class SeriesUnknown(NotFound):
    """There is no such series."""

    slug, title = "coupon-series-unknown", "There is no such series of coupons"


class SeriesClosed(Conflict):
    """A closed series gives no more codes."""

    slug, title = "coupon-series-closed", "The series is closed"


class CouponUnknown(NotFound):
    """No coupon has this code."""

    slug, title = "coupon-unknown", "There is no such coupon"


class CouponRedeemed(Conflict):
    """A coupon is good for one time."""

    slug, title = "coupon-redeemed", "The coupon has been used"


class CouponExpired(Conflict):
    """It was good until a day that is past."""

    slug, title = "coupon-expired", "The coupon has expired"


class CouponEarly(Conflict):
    """It is not good yet."""

    slug, title = "coupon-early", "The coupon is not valid yet"


class CouponClosed(Conflict):
    """Its series was called off."""

    slug, title = "coupon-closed", "The coupon has been withdrawn"


REFUSALS: dict[str, type[AppError]] = {
    "unknown": CouponUnknown,
    "redeemed": CouponRedeemed,
    "expired": CouponExpired,
    "early": CouponEarly,
    "closed": CouponClosed,
}
"""By what speaks against a redemption."""
