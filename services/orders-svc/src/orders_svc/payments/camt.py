"""camt.054, the bank's notification of money that came in: versions .02 and .08, read as a stream.

A document type declaration is refused, and with it every entity: no bank writes one, and both bombs and thefts of files
need it. Sums that the file gives are checked against its entries.

Sources: ISO 20022 message definitions camt.054.001.02 and camt.054.001.08; Nordea's implementation guide 1.5; 2026-11.
"""

import copy
from typing import Any, Final
from xml.parsers import expat

from orders_svc.payments.camt_parts import Entry, Part, shares
from orders_svc.payments.reading import (
    NAME_SIGNS,
    REMITTANCE_SIGNS,
    BadFile,
    FileEntry,
    day,
    entry_id,
    minor_units,
)

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
VERSIONS: Final = ("camt.054.001.02", "camt.054.001.08")
MAX_DEPTH: Final = 40
MAX_TEXT: Final = 4_000
_WIDE: Final = {b"\xff\xfe": "UTF-16LE", b"\xfe\xff": "UTF-16BE"}
"""What the first two bytes say; nothing else says it where reading goes on."""
_CREDIT, _DEBIT = "CRDT", "DBIT"
_READ: Final = frozenset(
    {
        "MsgId", "IBAN", "Id", "NbOfNtries", "Sum", "NtryRef", "Amt", "CdtDbtInd", "RvslInd", "Sts", "Cd", "Dt", "DtTm",
        "AcctSvcrRef", "EndToEndId", "TxId", "NbOfTxs", "TtlAmt", "Nm", "Ref", "Ustrd", "RmtdAmt",
    }
)  # fmt: skip
"""The elements whose text means something to us."""
_PLACES: Final = {
    ("Ntry", "CdtDbtInd"): "sign",
    ("Ntry", "NtryRef"): "ref",
    ("Ntry", "AcctSvcrRef"): "name",
    ("Ntry", "Sts"): "state",
    ("Sts", "Cd"): "state",
    ("BookgDt", "Dt"): "booked",
    ("BookgDt", "DtTm"): "booked",
    ("ValDt", "Dt"): "valued",
    ("ValDt", "DtTm"): "valued",
}
"""Where an entry keeps what an element in another tells: version .08 writes the state as a code."""


class CamtReader:
    """Reads a camt.054 part by part."""

    kind = "camt.054"

    def __init__(self) -> None:
        self.message_id = ""
        self.skipped = 0
        self._is_begun = False
        self._encoding = ""
        self._lines_before = 0
        self._bytes_before = 0
        self._mark: dict[str, Any] = {"offset": 0}
        self._begin("")
        self._tags: list[str] = []
        """The open elements by the names that they have in this file, with the prefix."""
        self._stack: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._currency = ""
        self._entry: Entry | None = None
        self._part: Part | None = None
        self._account = ""
        self._told: dict[str, str] = {}
        self._counted: dict[str, list[int]] = {}
        self._currencies: set[str] = set()
        self._out: list[FileEntry] = []
        self._entries = 0

    def _begin(self, opening: str) -> None:
        """Make the parser; it hears of nothing before what follows on these opening tags."""
        self._parser = expat.ParserCreate(self._encoding or None)
        if opening:
            head = opening.encode(self._encoding or "utf-8")
            self._parser.Parse(head)
            self._bytes_before -= len(head)
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._hear

    @classmethod
    def at(cls, checkpoint: dict[str, Any]) -> "CamtReader":
        """Return a reader that goes on at the offset of a checkpoint, at the end tag of an entry that was returned."""
        reader = cls()
        reader._go_on(checkpoint)
        return reader

    def _go_on(self, mark: dict[str, Any]) -> None:
        self._mark, self._is_begun = mark, True
        self._encoding, self._lines_before = mark["encoding"], mark["line"] - 1
        self._bytes_before = mark["offset"]
        self._tags = list(mark["tags"])
        self._stack = [name.rpartition(":")[2] for name in self._tags]
        self._begin("".join(f"<{name}>" for name in self._tags))
        self.message_id, self.skipped = mark["message_id"], mark["skipped"]
        self._entries, self._account = mark["entries"], mark["account"]
        self._told, self._counted = dict(mark["told"]), copy.deepcopy(mark["counted"])
        self._currencies = set(mark["currencies"])

    def _note(self) -> None:
        """Note where a reader can go on: every entry up to here has been returned, and none is open."""
        self._mark = {
            "offset": self._bytes_before + self._parser.CurrentByteIndex,
            "line": self._line,
            "encoding": self._encoding,
            "tags": self._tags.copy(),
            "message_id": self.message_id,
            "skipped": self.skipped,
            "entries": self._entries,
            "account": self._account,
            "told": self._told.copy(),
            "counted": {name: sums.copy() for name, sums in self._counted.items()},
            "currencies": sorted(self._currencies),
        }

    @property
    def offset(self) -> int:
        """How many bytes need not be read again: up to the end tag of the last entry that was returned."""
        return int(self._mark["offset"])

    def checkpoint(self) -> dict[str, Any]:
        """Return what a reader needs that goes on at `offset`."""
        return self._mark

    @property
    def _line(self) -> int:
        return self._lines_before + self._parser.CurrentLineNumber

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._encoding = self._encoding or encoding or ""

    def feed(self, part: bytes) -> list[FileEntry]:
        """Return the entries that end in this part. Raises `BadFile`."""
        if not self._is_begun:
            self._is_begun, self._encoding = True, _WIDE.get(part[:2], "")
        return self._parse(part, is_last=False)

    def close(self) -> list[FileEntry]:
        """Check that the file is whole. Raises `BadFile`."""
        return self._parse(b"", is_last=True)

    def _parse(self, part: bytes, *, is_last: bool) -> list[FileEntry]:
        try:
            self._parser.Parse(part, is_last)
        except expat.ExpatError as error:
            where = f"line {self._lines_before + error.lineno}, after {self._entries} whole entries"
            message = f"the file is damaged at {where}: {expat.ErrorString(error.code)}; fetch it from the bank again"
            if is_last:
                message = f"the file ends in the middle, at {where}; fetch it from the bank again"
            raise BadFile(message) from error
        out, self._out = self._out, []
        return out

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._tags.append(name)
        name = name.rpartition(":")[2]
        self._stack.append(name)
        depth = len(self._stack)
        if depth == 1:
            _check_version(name, attributes)
        if depth > MAX_DEPTH:
            message = f"line {self._line}: elements in elements, {depth} deep; no bank writes that"
            raise BadFile(message)
        if name in ("Amt", "RmtdAmt", "TtlAmt"):
            self._currency = attributes.get("Ccy", "")
        elif name == "Ntry":
            self._entry = Entry()
        elif name == "TxDtls" and self._entry:
            self._part = Part()
            self._entry.parts.append(self._part)
        elif name == "Strd" and self._part:
            self._part.paid.append(["", ""])
        elif name == "Ntfctn":
            self._account, self._told, self._counted, self._currencies = "", {}, {}, set()
        self._text, self._length = [], 0

    def _hear(self, data: str) -> None:
        self._length += len(data)
        if self._length > MAX_TEXT:
            message = (
                f"line {self._line}: a text of more than {MAX_TEXT} signs; no bank writes that"
            )
            raise BadFile(message)
        self._text.append(data)

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in _READ:
            text = "".join(self._text).strip()
            if text:
                self._take(name, text)
        elif name == "Ntry" and self._entry:
            self._finish(self._entry)
            self._entry = self._part = None
            self._note()
        elif name == "TxDtls":
            self._part = None
        elif name == "Ntfctn":
            self._check_sums()
        self._stack.pop()
        self._tags.pop()
        self._text, self._length = [], 0

    def _take(self, name: str, text: str) -> None:
        above = self._stack[-2] if len(self._stack) > 1 else ""
        if self._part is not None:
            self._take_part(self._part, name, text, above)
        elif self._entry is not None:
            self._take_entry(self._entry, name, text, above)
        elif name == "MsgId":
            self.message_id = text[:NAME_SIGNS]
        elif "Acct" in self._stack and "Svcr" not in self._stack and not self._account:
            if name == "IBAN" or (name == "Id" and above == "Othr"):
                self._account = text
        elif above in ("TtlNtries", "TtlCdtNtries", "TtlDbtNtries"):
            self._told[f"{above}.{name}"] = text

    def _take_entry(self, entry: Entry, name: str, text: str, above: str) -> None:
        place = _PLACES.get((above, name))
        if place is not None:
            setattr(entry, place, text)
        elif above == "Ntry" and name == "Amt":
            entry.amount = (text, self._currency)
        elif above == "Ntry" and name == "RvslInd":
            entry.is_reversal = text in ("true", "1")
        elif above == "Btch":
            entry.batch[name] = text

    def _take_part(self, part: Part, name: str, text: str, above: str) -> None:
        if above == "Refs":
            part.refs[name] = text
        elif name == "Amt" and above in ("TxAmt", "TxDtls"):
            part.amount = (text, self._currency)
        elif name == "CdtDbtInd" and above == "TxDtls":
            part.sign = text
        elif name == "Nm" and "Dbtr" in self._stack:
            part.payer_name = text[:NAME_SIGNS]
        elif "DbtrAcct" in self._stack and (name == "IBAN" or (name == "Id" and above == "Othr")):
            part.payer_account = text[:NAME_SIGNS]
        elif name == "Ref" and above == "CdtrRefInf" and part.paid:
            part.paid[-1][0] = text
        elif name == "RmtdAmt" and part.paid:
            part.paid[-1][1] = text
        elif name == "Ustrd":
            part.text.append(text)

    def _finish(self, entry: Entry) -> None:
        self._entries += 1
        where = f"entry {self._entries} (line {self._line})"
        if not self._account:
            message = f"{where}: no account is named before it; Ntfctn/Acct/Id is missing"
            raise BadFile(message)
        words, currency = entry.amount
        total = minor_units(words, currency, where)
        self._currencies.add(currency)
        self._count("TtlNtries", total)
        self._count("TtlCdtNtries" if entry.sign == _CREDIT else "TtlDbtNtries", total)
        parts = entry.parts or [Part()]
        self._check_batch(entry, parts, total, where)
        is_back = entry.is_reversal and entry.sign == _DEBIT
        if entry.state not in ("", "BOOK") or not (entry.sign == _CREDIT or is_back):
            self.skipped += len(parts)
            return
        for number, part in enumerate(parts, 1):
            if part.sign and part.sign != entry.sign:
                self.skipped += 1
                continue
            self._emit(entry, part, number, len(parts), is_back=is_back, where=where)

    def _emit(
        self, entry: Entry, part: Part, number: int, of: int, *, is_back: bool, where: str
    ) -> None:
        words, currency = (
            part.amount
            if part.amount and (of > 1 or part.amount[1] == entry.amount[1])
            else entry.amount
        )
        amount = minor_units(words, currency, where)
        paid_on = day(entry.booked or entry.valued, f"{where}, BookgDt")
        own = (
            part.refs.get("AcctSvcrRef") or part.refs.get("TxId") or part.refs.get("EndToEndId", "")
        )
        name = "/".join((entry.name or entry.ref, own or str(number)))
        text = " ".join(part.text)[:REMITTANCE_SIGNS]
        for share, (reference, minor) in enumerate(shares(part, amount, currency, where)):
            if minor:
                self._out.append(
                    FileEntry(
                        entry_id(
                            self._account, name, paid_on, is_back, minor, currency, reference, share
                        ),
                        self._account,
                        reference[:35],
                        text or " ".join(one[0] for one in part.paid)[:REMITTANCE_SIGNS],
                        part.payer_name,
                        part.payer_account,
                        minor,
                        currency,
                        paid_on,
                        is_back,
                    )
                )

    def _count(self, name: str, minor: int) -> None:
        sums = self._counted.setdefault(name, [0, 0])
        sums[0] += 1
        sums[1] += minor

    def _check_batch(self, entry: Entry, parts: list[Part], total: int, where: str) -> None:
        told = entry.batch.get("NbOfTxs")
        if told is not None and entry.parts and int_of(told, where) != len(parts):
            message = f"{where}: it says {told} transactions and holds {len(parts)}; fetch the file from the bank again"
            raise BadFile(message)
        amounts = [
            part.amount for part in parts if part.amount and part.amount[1] == entry.amount[1]
        ]
        if len(parts) > 1 and len(amounts) == len(parts):
            found = sum(minor_units(words, currency, where) for words, currency in amounts)
            if found != total:
                message = f"{where}: its transactions sum up to {found} in minor units, its amount is {total}"
                raise BadFile(message)

    def _check_sums(self) -> None:
        for name in ("TtlNtries", "TtlCdtNtries", "TtlDbtNtries"):
            count, total = self._counted.get(name, [0, 0])
            told = self._told.get(f"{name}.NbOfNtries")
            if told is not None and int_of(told, name) != count:
                message = f"{name}: the file says {told} entries and holds {count}; fetch it from the bank again"
                raise BadFile(message)
            told = self._told.get(f"{name}.Sum")
            if told is None or len(self._currencies) != 1:
                continue
            (currency,) = self._currencies
            if minor_units(told, currency, name) != total:
                message = f"{name}: the file says a sum of {told}, its entries make another; fetch it from the bank again"
                raise BadFile(message)


def int_of(text: str, where: str) -> int:
    """Return a whole number. Raises `BadFile`."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - ISO 20022: at most 15 digits
        message = f"{where}: {text[:40]!r} is not a number"
        raise BadFile(message)
    return int(text)


def _check_version(name: str, attributes: dict[str, str]) -> None:
    spaces = [value for value in attributes.values() if value.startswith(NAMESPACE)]
    found = next(iter(spaces), "").removeprefix(NAMESPACE)
    if name != "Document" or found not in VERSIONS:
        message = f"the file is {found or f'XML of the kind {name[:40]}'}; taken are {' and '.join(VERSIONS)}"
        raise BadFile(message)


def _refuse_doctype(*_: object) -> None:
    message = "the file holds a document type declaration (DTD), which no bank writes; nothing of it was read"
    raise BadFile(message)
