"""Which cell of a row is what, for the ways that take usual rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from contacts_svc.imports.columns import AS_OF, CUSTOM, FULL_YES, IGNORED, PERMISSION
from contacts_svc.imports.rows import Reading, Told, put
from kantis_contracts.values import Channel, Purpose
from kantis_kit.csv_rows import unquoted


@dataclass(frozen=True, slots=True)
class Places:
    """The header of a file, read once."""

    texts: list[tuple[str, int]]
    """Fields of the person, each with its place."""
    email: int | None
    phone: int | None
    permissions: list[tuple[int, Channel, Purpose]]
    others: list[tuple[int, str, str]]
    """Place, name and column of declared fields and of the day of a row."""

    @classmethod
    def of(cls, reading: Reading) -> "Places":
        """Read the header of a file by its mapping."""
        names = [reading.mapping.get(column, IGNORED) for column in reading.header]
        named = list(enumerate(names))
        return cls(
            texts=[
                (name, place)
                for place, name in named
                if name not in (IGNORED, "email", "phone", AS_OF)
                and not name.startswith((PERMISSION, CUSTOM))
            ],
            email=names.index("email") if "email" in names else None,
            phone=names.index("phone") if "phone" in names else None,
            permissions=[
                (place, Channel(name.split(".")[1]), Purpose(name.split(".")[2]))
                for place, name in named
                if name.startswith(PERMISSION)
            ],
            others=[
                (place, name, reading.header[place])
                for place, name in named
                if name.startswith(CUSTOM) or name == AS_OF
            ],
        )

    def granted(self, cells: Sequence[str]) -> list[tuple[Channel, Purpose]]:
        """Return what a row says yes to."""
        return [
            (channel, purpose)
            for place, channel, purpose in self.permissions
            if unquoted(cells[place].strip()).strip().casefold() in FULL_YES
        ]

    def told(self, cells: Sequence[str], reading: Reading) -> Told:
        """Return the declared fields of a row and its day. Raises `Refused`."""
        told = Told()
        for place, name, column in self.others:
            value = unquoted(cells[place].strip()).strip()
            if value and value != "-":
                put(told, name, value, column, reading)
        return told


__all__ = ["Places"]
