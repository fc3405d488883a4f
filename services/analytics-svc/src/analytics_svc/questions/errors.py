"""What questions are refused for."""

from kantis_kit.errors import Invalid, Unavailable


class TooManyLines(Invalid):
    """The answer has more lines than anybody reads."""

    slug, title = "question-too-wide", "The answer would be too long"


class StoreFilling(Unavailable):
    """The copy of the facts is being made, and would say too little."""

    slug, title = "fact-store-filling", "The store of facts is being filled"


class StoreAway(Unavailable):
    """The other store does not answer."""

    slug, title = "fact-store-away", "The store of facts does not answer"
