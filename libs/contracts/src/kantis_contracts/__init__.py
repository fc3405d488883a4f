"""The events and value types that cross services; pydantic only.

One module per producer, plus `base` (what an event is) and `values` (the types that they share).
"""
