"""What the catalogue refuses."""

from kantis_kit.errors import Conflict, NotFound


class ProductNotFound(NotFound):
    """No product has this id."""

    slug, title = "product-not-found", "There is no such product"


class SkuTaken(Conflict):
    """Another product has this sku."""

    slug, title = "sku-taken", "This sku is in use"


class StockTooLow(Conflict):
    """A movement would leave less on hand than is reserved."""

    slug, title = "stock-too-low", "There is not that much to take"


class SoldOut(Conflict):
    """Less is available than was asked for; `available` says how much there is, by sku."""

    slug, title = "sold-out", "There is not that much left"


class VariantTaken(Conflict):
    """The family has a variant with these attributes."""

    slug, title = "variant-taken", "There is such a variant already"


class WithoutStock(Conflict):
    """A family or a bundle has no stock of its own."""

    slug, title = "without-stock", "It has no stock of its own"
