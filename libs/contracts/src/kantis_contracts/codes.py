"""Response codes as they are printed and keyed: read forgivingly, and wrong ones are noticed.

A code of ours is nine characters of Crockford's base 32 and a check character. The check is a weighted sum over the
field GF(2^5): every single wrong character and every swap of two different characters, adjacent or not, changes it,
which ISO 7064 MOD 37,36 does not promise for an alphabet of 32.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# What people read and key for what is printed (Crockford's own list).
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_FIELD_BITS = 5
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1 is primitive: the powers of x are 31 different weights


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value >> _FIELD_BITS else value


def check_character(data: str) -> str:
    """Return the character that makes the code's weighted sum zero; at most 30 characters of data."""
    total = 0
    for character in data:
        total = _times_x(total ^ _VALUE[character])
    return ALPHABET[total]


def is_sound(code: str) -> bool:
    """Say whether the check character fits; the code may be as keyed, with hyphens and small letters."""
    plain = normal(code)
    if len(plain) != CODE_LENGTH or any(character not in _VALUE for character in plain):
        return False
    return check_character(plain[:-1]) == plain[-1]


def normal(code: str) -> str:
    """Return the code as it is stored."""
    return code.upper().translate(_MISREAD)


def slips_of(code: str) -> set[str]:
    """Return the sound codes from which one wrong character, or a swap of two, makes this one that is not sound."""
    plain = normal(code)
    places = range(len(plain))
    single = {
        plain[:at] + other + plain[at + 1 :]
        for at in places
        for other in ALPHABET
        if other != plain[at]
    }
    swapped = {
        plain[:one] + plain[two] + plain[one + 1 : two] + plain[one] + plain[two + 1 :]
        for one in places
        for two in places
        if one < two
    }
    return {near for near in single | swapped if is_sound(near)}
