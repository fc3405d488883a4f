"""Merges of people as contacts-svc tells them, for the tests of those who follow; and what a service's tables hold."""

import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kantis_contracts.contacts import PersonMerge
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.tx import Tx, write


class Register:
    """Who was merged into whom: a model of what contacts-svc allows and tells."""

    def __init__(self, people: Sequence[UUID], at: datetime) -> None:
        self.into: dict[UUID, UUID] = {}
        self._people, self._at = list(people), at
        self._merges: dict[UUID, UUID] = {}
        self._versions = dict.fromkeys(people, 1)

    def merge(self, merged: UUID, known: UUID) -> PersonMerge:
        """Merge one into another."""
        self.into[merged], self._merges[merged] = known, new_id()
        return self._told(merged, known, is_undone=False)

    def undo(self, merged: UUID) -> PersonMerge:
        """Undo the merge of one."""
        return self._told(merged, self.into.pop(merged), is_undone=True)

    def undo_everything(self) -> list[PersonMerge]:
        """Undo what is left, the latest merge first."""
        return [self.undo(merged) for merged in reversed(list(self.into))]

    def known(self, person: UUID) -> UUID:
        """Return with whom a person's rows stand."""
        while person in self.into:
            person = self.into[person]
        return person

    def wander(self, chance: random.Random, steps: int) -> list[PersonMerge]:
        """Merge and undo at random, as a register would; return what it tells."""
        return [self._step(chance) for _ in range(steps)]

    def _step(self, chance: random.Random) -> PersonMerge:
        alone = [one for one in self._people if one not in self.into]
        # What somebody was merged into must stand on its own to be parted from.
        loose = [one for one in self.into if self.into[one] not in self.into]
        if loose and (len(alone) < 2 or chance.random() < 0.4):  # noqa: PLR2004 - two make a merge
            return self.undo(chance.choice(loose))
        return self.merge(*chance.sample(alone, 2))

    def _told(self, merged: UUID, known: UUID, *, is_undone: bool) -> PersonMerge:
        self._versions[merged] += 1
        return PersonMerge(
            merge_id=self._merges[merged],
            merged_id=merged,
            known_id=known,
            version=self._versions[merged],
            is_undone=is_undone,
            at=self._at,
        )


def as_it_may_come(
    chance: random.Random, news: Sequence[PersonMerge]
) -> list[Sequence[PersonMerge]]:
    """Return news in any order, some of them twice, in deliveries of any size."""
    left = [*news, *chance.sample(news, len(news) // 3)]
    chance.shuffle(left)
    deliveries: list[Sequence[PersonMerge]] = []
    while left:
        size = chance.randint(1, 4)
        deliveries.append(left[:size])
        left = left[size:]
    return deliveries


async def contents(
    service: Service, *, but: Collection[str] = ("person_alias",)
) -> Mapping[str, Sequence[str]]:
    """Return every row of the service's own tables as text, in an order that does not depend on how it came there."""
    pool = await service.database.pool()
    tables = service.spec.metadata.sorted_tables if service.spec.metadata is not None else ()
    return {
        table.name: [
            row[0]
            for row in await pool.fetch(
                f'SELECT CAST(to_jsonb(t) AS text) AS row FROM "{table.name}" t ORDER BY 1'  # noqa: S608 - of the models
            )
        ]
        for table in tables
        if table.name not in but
    }


@dataclass(frozen=True, slots=True)
class Followed:
    """What a service's rows did while people were merged and parted: compare the pairs."""

    expected: Mapping[str, UUID]
    found: Mapping[str, UUID]
    before: Mapping[str, Sequence[str]]
    after: Mapping[str, Sequence[str]]


async def follow(
    service: Service,
    take: Callable[[Tx, Sequence[PersonMerge]], Awaitable[None]],
    people: Sequence[UUID],
    *,
    tables: Sequence[str],
    seed: int,
    steps: int = 25,
) -> Followed:
    """Merge and part people at random and tell the service in any order; then undo what is left.

    `expected` and `found` are where each row of the tables stands before that is undone; `before` and `after` are all
    rows of the service at the beginning and at the end.
    """
    chance = random.Random(seed)  # noqa: S311 - a test
    before, homes = await contents(service), await _stands(service, tables)
    register = Register(people, service.scope.clock.now())

    async def tell(news: Sequence[PersonMerge]) -> None:
        for delivery in as_it_may_come(chance, news):
            async with write(service.scope, actor="test") as tx:
                await take(tx, delivery)

    await tell(register.wander(chance, steps))
    found = await _stands(service, tables)
    expected = {row: register.known(home) for row, home in homes.items()}
    await tell(register.undo_everything())
    return Followed(expected, found, before, await contents(service))


async def _stands(service: Service, tables: Sequence[str]) -> Mapping[str, UUID]:
    pool = await service.database.pool()
    return {
        f"{table} {row[0]}": row[1]
        for table in tables
        for row in await pool.fetch(
            f"SELECT CAST(to_jsonb(t) - 'person_id' - 'merged_id' - 'is_twin' AS text), person_id FROM {table} t"  # noqa: S608 - of the test
            " WHERE person_id IS NOT NULL"
        )
    }
