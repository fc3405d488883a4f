"""Words that tables, requests and decisions share."""

from enum import StrEnum


class Scope(StrEnum):
    """How far a suppression reaches; within it nothing that advertises goes out."""

    LIST = "list"
    TOPIC = "topic"
    CHANNEL = "channel"
    EVERYTHING = "everything"


class RegisterKind(StrEnum):
    """By what a reservation register names people."""

    PHONE = "phone"
    ADDRESS = "address"
