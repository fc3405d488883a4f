"""What every process of the house does with Python's collector, so that a measured part is not slower than the whole."""

import gc


def as_in_the_house() -> None:
    """Have what is loaded out of the collector's way: a full collection over the frameworks is a pause of 38 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
