"""Draw response codes: short enough to key by hand, too many to guess (45 bits)."""

import secrets

from kantis_contracts.codes import ALPHABET, CODE_LENGTH, check_character

KEY_LENGTH = 4
_BITS_EACH = 5


def draw_code() -> str:
    """Return a new code from the system's source of secrets."""
    places = CODE_LENGTH - 1
    bits = secrets.randbits(places * _BITS_EACH)
    data = "".join(
        ALPHABET[bits >> (_BITS_EACH * place) & (len(ALPHABET) - 1)] for place in range(places)
    )
    return data + check_character(data)


def draw_key() -> str:
    """Return a short key code for a cell, to be printed on what it sends."""
    return "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
