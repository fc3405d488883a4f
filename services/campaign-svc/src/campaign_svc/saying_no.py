"""Kinds of insights that speak against buying: programmes hear an objection in them, campaigns remember a reason."""

SAYS_NO = ("objection", "barrier", "no_buy_reason")
