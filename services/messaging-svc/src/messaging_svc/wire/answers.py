"""What a mail server answers: its lines taken apart, and its two ways of not taking a message.

Source: RFC 5321 (4.2, 4.5.3), 2026-11.
"""

from kantis_kit.errors import KantisError

CLOSING = 421
CONTINUE = 354
TEMPORARY = 400
PERMANENT = 500
_LONGEST_ANSWER = 64 * 1024
_CODE_LENGTH = 3


_KNOWN_CODES = {b"%d" % code: code for code in range(200, 600)}


def _text(line: bytes) -> str:
    return line[_CODE_LENGTH + 1 :].rstrip(b"\r").decode("utf-8", "replace")


class Refused(KantisError):
    """The server said no to this message; nothing of it was taken."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")

    @property
    def is_permanent(self) -> bool:
        """Say whether another attempt is pointless."""
        return self.code >= PERMANENT


class Lost(KantisError):
    """The connection broke, or an answer did not come in time.

    `is_unknown` says whether the message may have been taken: its content was on its way.
    """

    def __init__(self, reason: str, *, is_unknown: bool = False) -> None:
        self.is_unknown = is_unknown
        super().__init__(reason)


class Answers:
    """Cuts what arrives into answers: a code and its lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    @property
    def is_between(self) -> bool:
        """Say whether nothing has come that is not yet taken apart."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> list[tuple[int, list[str]]]:
        """Return the answers that are complete now.

        Raises:
            Lost: this is no SMTP.
        """
        *complete, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_ANSWER:
            raise Lost("the mail server's answer has no end")
        found = []
        for raw in complete:
            if not self._lines and raw[_CODE_LENGTH : _CODE_LENGTH + 1] == b" ":
                known = _KNOWN_CODES.get(raw[:_CODE_LENGTH])
                if known is not None:
                    found.append((known, [_text(raw)]))
                    continue
            code, mark = raw[:_CODE_LENGTH], raw[_CODE_LENGTH : _CODE_LENGTH + 1]
            if (
                len(code) < _CODE_LENGTH
                or not code.isdigit()
                or mark not in (b" ", b"-", b"\r", b"")
            ):
                raise Lost("the mail server does not speak SMTP")
            self._lines.append(_text(raw))
            if mark != b"-":
                found.append((int(code), self._lines))
                self._lines = []
            elif len(self._lines) > _LONGEST_ANSWER // 64:
                raise Lost("the mail server's answer has no end")
        return found
