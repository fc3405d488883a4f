"""Numbers of parcels: SSCC of GS1 and S10 of the Universal Postal Union, each with its control digit.

Source: GS1 General Specifications 7.9 (weights 3 and 1 from the right) and 2.6.1; UPU standard S10-12.
"""

import re

SSCC_DIGITS = 18
_S10 = re.compile(r"(?P<service>[A-Z]{2})(?P<serial>\d{8})(?P<check>\d)(?P<country>[A-Z]{2})")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10_MODULUS = 11


def gs1_digit(digits: str) -> str:
    """Return the control digit of a GS1 number."""
    total = sum(int(digit) * (3, 1)[n % 2] for n, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def sscc(prefix: str, serial: int) -> str:
    """Return the number of a parcel: extension 0, prefix of the company, serial, control digit.

    Raises:
        ValueError: the serial has more digits than the prefix leaves.
    """
    room = SSCC_DIGITS - 2 - len(prefix)
    if serial >= 10**room:
        message = f"serial {serial} has more than the {room} digits that the prefix {prefix} leaves"
        raise ValueError(message)
    body = f"0{prefix}{serial:0{room}d}"
    return body + gs1_digit(body)


def s10_digit(serial: str) -> str:
    """Return the control digit of the eight digits of an S10 number."""
    total = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True))
    check = _S10_MODULUS - total % _S10_MODULUS
    return str({10: 0, 11: 5}.get(check, check))


def s10(service: str, serial: int, country: str) -> str:
    """Return the number of a postal item, such as RR473124829NO."""
    digits = f"{serial:08d}"
    return f"{service}{digits}{s10_digit(digits)}{country}"


def scanned(code: str) -> str:
    """Read a parcel's number as scanners give it: spaces anywhere, `00` or `(00)` before an SSCC, any case."""
    plain = re.sub(r"[\s()\x1d-]", "", code).upper()
    if len(plain) == SSCC_DIGITS + 2 and plain.isdigit() and plain.startswith("00"):
        return plain[2:]
    return plain


def is_whole(code: str) -> bool:
    """Say whether a number that looks like an SSCC or S10 has its control digit; of any other nothing is known."""
    if len(code) == SSCC_DIGITS and code.isascii() and code.isdigit():
        return gs1_digit(code[:-1]) == code[-1]
    found = _S10.fullmatch(code)
    return found is None or s10_digit(found["serial"]) == found["check"]
