"""Words of programmes: their graphs, conditions, and what the API takes and shows."""
