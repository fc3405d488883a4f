"""What the API tells of erasures."""

from kantis_kit.web.schemas import Out


class ReplayOut(Out):
    """What a replay came to."""

    erased_again: int
    """How many persons had come back and were erased again."""
    announced: int
    """How many erased persons the other services were told of."""
