"""OCR-giro, the Norwegian file of payments with KID: lines of 80 signs, read as a stream, all end records checked.

Sources: Nets, "Systemspesifikasjon OCR giro"; the public reader netsgiro and its sample file; 2026-11.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, NoReturn

from orders_svc.payments.reading import BadFile, FileEntry, entry_id

LINE_SIGNS: Final = 80
_REVERSALS: Final = frozenset({"18", "20"})
_KNOWN: Final = frozenset(str(one) for one in range(10, 22))
"""Kinds of transactions: 10 to 17 pay with KID, 18 and 20 take back, 19 and 21 are purchases."""
_CENTURY: Final = 2000
_CARRIED: Final = (
    "message_id", "skipped", "_fed", "_line", "_account", "_agreement", "_is_over",
)  # fmt: skip
"""What a checkpoint holds as it is."""


@dataclass(slots=True)
class _Amount:
    """A transaction, as its two or three lines are told."""

    number: str
    kind: str
    paid_on: date
    minor: int
    reference: str
    is_reversal: bool
    archive: str = ""
    payer_account: str = ""
    text: str = ""


@dataclass(slots=True)
class _Sums:
    """What an end record is checked against."""

    transactions: int = 0
    lines: int = 1
    signed: int = 0
    plain: int = 0

    def add(self, other: "_Sums") -> None:
        self.transactions += other.transactions
        self.lines += other.lines
        self.signed += other.signed
        self.plain += other.plain


class OcrReader:
    """Reads an OCR-giro part by part."""

    kind = "ocr_giro"

    def __init__(self) -> None:
        self.message_id = ""
        self.skipped = 0
        self._rest = b""
        self._line = 0
        self._whole: _Sums | None = None
        self._assignment: _Sums | None = None
        self._account = ""
        self._agreement = ""
        self._amount: _Amount | None = None
        self._out: list[FileEntry] = []
        self._is_over = False
        self._fed = 0

    @classmethod
    def at(cls, checkpoint: dict[str, Any]) -> "OcrReader":
        """Return a reader that goes on at the offset of a checkpoint."""
        reader = cls()
        for name in _CARRIED:
            setattr(reader, name, checkpoint[name])
        sums = [told and _Sums(**told) for told in (checkpoint["whole"], checkpoint["assignment"])]
        reader._whole, reader._assignment = sums
        amount = checkpoint["amount"]
        if amount:
            paid_on = date.fromisoformat(amount["paid_on"])
            reader._amount = _Amount(**{**amount, "paid_on": paid_on})
        return reader

    @property
    def offset(self) -> int:
        """How many bytes need not be read again: whole lines."""
        return self._fed - len(self._rest)

    def checkpoint(self) -> dict[str, Any]:
        """Return what a reader needs that goes on at `offset`."""
        amount = self._amount and {**asdict(self._amount), "paid_on": str(self._amount.paid_on)}
        return {
            **{name: getattr(self, name) for name in _CARRIED},
            "_fed": self.offset,
            "whole": self._whole and asdict(self._whole),
            "assignment": self._assignment and asdict(self._assignment),
            "amount": amount,
        }

    def feed(self, part: bytes) -> list[FileEntry]:
        """Return the entries that end in this part. Raises `BadFile`."""
        self._fed += len(part)
        lines = (self._rest + part).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LINE_SIGNS + 2:
            message = f"line {self._line + 1}: longer than {LINE_SIGNS} signs"
            raise BadFile(message)
        for line in lines:
            self._take(line.rstrip(b"\r"))
        out, self._out = self._out, []
        return out

    def close(self) -> list[FileEntry]:
        """Check that the file is whole. Raises `BadFile`."""
        if self._rest.strip():
            self._take(self._rest.rstrip(b"\r"))
        if not self._is_over:
            message = f"the file ends in the middle, after line {self._line}: its end record (NY000089) is missing; fetch it from the bank again"
            raise BadFile(message)
        out, self._out = self._out, []
        return out

    def _take(self, raw: bytes) -> None:
        if not raw.strip():
            return
        self._line += 1
        line = raw.decode("latin-1").ljust(LINE_SIGNS)
        if any(sign < " " for sign in line):
            self._refuse("holds control characters")
        if len(line) > LINE_SIGNS or not line.startswith("NY") or not line[2:8].isdigit():
            self._refuse("is not a line of OCR-giro: 80 signs that begin with NY and six digits")
        if self._is_over:
            self._refuse("stands behind the end of the file")
        service, kind, record = line[2:4], line[4:6], line[6:8]
        if record == "10":
            self._begin(line)
        elif record == "20":
            self._begin_assignment(line, service)
        elif record in ("30", "31", "32"):
            self._take_amount(line, kind, record)
        elif record == "88":
            self._end_assignment(line)
        elif record == "89":
            self._end(line)
        else:
            self._refuse(f"is a record {record}, which OCR-giro does not have")

    def _begin(self, line: str) -> None:
        if self._whole is not None:
            self._refuse("begins a second transmission")
        self._whole = _Sums()
        self.message_id = f"{line[8:16].strip()}-{line[16:23]}"

    def _begin_assignment(self, line: str, service: str) -> None:
        if self._whole is None or self._assignment is not None:
            self._refuse("begins an assignment where none can begin")
        if service != "09":
            self._refuse(f"belongs to the service {service}; OCR-giro is 09")
        self._assignment = _Sums()
        self._agreement = f"{line[8:17]}/{line[17:24]}"
        self._account = line[24:35]

    def _take_amount(self, line: str, kind: str, record: str) -> None:
        if self._assignment is None:
            self._refuse("stands outside of an assignment")
        if kind not in _KNOWN:
            self._refuse(f"is a transaction of the kind {kind}; known are 10 to 21")
        self._assignment.lines += 1
        if record == "30":
            self._emit()
            is_back = kind in _REVERSALS or line[31] == "-"
            minor = self._number(line[32:49])
            self._amount = _Amount(
                line[8:15], kind, self._day(line[15:21]), minor, line[49:74].strip(), is_back
            )
            self._assignment.transactions += 1
            self._assignment.plain += minor
            self._assignment.signed += -minor if is_back else minor
        elif self._amount is None or self._amount.number != line[8:15]:
            self._refuse(f"continues transaction {line[8:15]}, which does not stand before it")
        elif record == "31":
            self._amount.archive = line[25:34]
            self._amount.payer_account = line[47:58].strip("0 ")
        else:
            self._amount.text = line[15:55].strip()

    def _emit(self) -> None:
        one, self._amount = self._amount, None
        if one is None or not one.minor:
            return
        name = f"{self._agreement}/{one.number}/{one.archive}"
        self._out.append(
            FileEntry(
                entry_id(
                    self._account, name, one.paid_on, one.is_reversal, one.minor, one.reference
                ),
                self._account,
                one.reference,
                one.text,
                "",
                one.payer_account,
                one.minor,
                "NOK",
                one.paid_on,
                one.is_reversal,
            )
        )

    def _end_assignment(self, line: str) -> None:
        self._emit()
        sums = self._assignment
        if sums is None or self._whole is None:
            self._refuse("ends an assignment that has not begun")
        sums.lines += 1
        self._check(line, sums, "assignment")
        self._whole.add(sums)
        self._assignment = None

    def _end(self, line: str) -> None:
        if self._whole is None or self._assignment is not None:
            self._refuse("ends the file inside of an assignment")
        self._whole.lines += 1
        self._check(line, self._whole, "file")
        self._is_over = True

    def _check(self, line: str, sums: _Sums, what: str) -> None:
        told = (self._number(line[8:16]), self._number(line[16:24]), self._number(line[24:41]))
        if told[:2] != (sums.transactions, sums.lines) or told[2] not in (sums.signed, sums.plain):
            self._refuse(
                f"says that the {what} has {told[0]} transactions in {told[1]} lines of {told[2]} øre; it has "
                f"{sums.transactions} in {sums.lines} of {sums.signed}; fetch the file from the bank again"
            )

    def _number(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            self._refuse(f"holds {text!r} where a number stands")
        return int(text)

    def _day(self, text: str) -> date:
        try:
            return date(_CENTURY + int(text[4:6]), int(text[2:4]), int(text[:2]))
        except ValueError as error:
            message = f"line {self._line}: {text!r} is not a date (DDMMYY)"
            raise BadFile(message) from error

    def _refuse(self, why: str) -> NoReturn:
        message = f"line {self._line} {why}"
        raise BadFile(message)
