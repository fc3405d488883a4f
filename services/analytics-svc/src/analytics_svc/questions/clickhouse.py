"""A copy of the facts in ClickHouse, for those whom one server of PostgreSQL answers too slowly.

`clickhouse-connect` is loaded when this store is chosen, and not before: it is the extra `clickhouse`.
"""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from analytics_svc.facts.rules import kinds_of
from analytics_svc.questions.errors import StoreAway
from analytics_svc.questions.schemas import MOST_LINES, AnswerLine, Dimension, Question
from analytics_svc.questions.store import CopyStore, Standing, in_order
from kantis_kit.tx import ReadTx

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

FoundT = TypeVar("FoundT")
_EPOCH = date(1970, 1, 1)
_SECONDS = 25
"""How long an answer may take: less than a request may."""

# Of two rows of a fact the later version holds: FINAL says so when asked, and within a day the older one is gone from the
# disk, too, so that nobody who was forgotten stays in it.
_TABLES = (
    "CREATE DATABASE IF NOT EXISTS {db}",
    "DROP TABLE IF EXISTS {db}.copy SYNC",
    "DROP TABLE IF EXISTS {db}.fact SYNC",
    """
    CREATE TABLE {db}.fact (
        kind        LowCardinality(String),
        key         UUID,
        version     UInt64,
        born        Date32,
        campaign_id Nullable(UUID),
        cell_id     Nullable(UUID),
        person_id   Nullable(UUID),
        channel     LowCardinality(String),
        moves Nested (
            measure  LowCardinality(String),
            day      Int32,
            month    Int32,
            currency LowCardinality(String),
            label    LowCardinality(String),
            value    Int64
        )
    ) ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(born) ORDER BY (kind, key)
    SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1
    """,
    "CREATE TABLE {db}.copy (id UUID) ENGINE = MergeTree ORDER BY id",
    "INSERT INTO {db}.copy SELECT {{id:UUID}}",
)
_MOVES = ("measure", "day", "month", "currency", "label", "value")


class ClickHouseFacts(CopyStore):
    """Facts in a ClickHouse server, or in the engine inside the process (`chdb:///folder`, for tests)."""

    name = "clickhouse"

    def __init__(self, dsn: str, database: str) -> None:
        self._dsn = dsn
        self._database = database
        self._client: Client | None = None

    async def standing(self) -> Standing:
        """Return of which copying the tables are."""
        there = await self._run(
            lambda client: client.query(
                "SELECT count() FROM system.tables WHERE database = {db:String} AND name IN ('fact', 'copy')",
                {"db": self._database},
            )
        )
        if there.result_rows[0][0] != len(("fact", "copy")):
            return Standing(None, 0)
        found = await self._run(
            lambda client: client.query(
                f"SELECT (SELECT any(id) FROM {self._database}.copy), (SELECT max(version) FROM {self._database}.fact)"  # noqa: S608 - a name of the settings
            )
        )
        copy_id, version = found.result_rows[0]
        return Standing(copy_id, version or 0)

    async def begin(self, copy_id: UUID) -> None:
        """Make the tables anew."""
        for statement in _TABLES:
            bound = {"id": str(copy_id)} if "{{id" in statement else None
            text = statement.format(db=self._database)
            await self._run(methodcaller("command", text, bound))

    async def take(self, lines: bytes) -> None:
        """Insert a batch in one go."""
        await self._run(
            lambda client: client.raw_insert(
                f"{self._database}.fact",
                insert_block=lines,
                fmt="JSONEachRow",
                # A batch may reach over any number of months.
                settings={"max_partitions_per_insert_block": 0},
            )
        )

    async def ask(self, tx: ReadTx, question: Question) -> list[AnswerLine]:
        """Sum up what facts add."""
        del tx
        statement, bound = _asked(self._database, question)
        found = await self._run(
            lambda client: client.query(statement, bound, {"max_execution_time": _SECONDS})
        )
        rows = (dict(zip(found.column_names, row, strict=True)) for row in found.result_rows)
        return in_order(map(_line, rows))

    async def _run(self, work: Callable[["Client"], FoundT]) -> FoundT:
        return await asyncio.to_thread(self._work, work)

    def _work(self, work: Callable[["Client"], FoundT]) -> FoundT:
        import clickhouse_connect  # noqa: PLC0415 - only who has chosen this store has it
        from clickhouse_connect.driver.exceptions import ClickHouseError  # noqa: PLC0415

        try:
            if self._client is None:
                # Requests run side by side, which a session would forbid.
                options: dict[str, Any] = {
                    "autogenerate_session_id": False, "send_receive_timeout": 2 * _SECONDS,
                }  # fmt: skip
                self._client = clickhouse_connect.get_client(
                    dsn=self._dsn, **({} if self._dsn.startswith("chdb:") else options)
                )
            return work(self._client)
        except (ClickHouseError, OSError) as error:
            message = f"ClickHouse: {str(error).splitlines()[0][:200]}; try again, or ask for less"
            raise StoreAway(message) from error


def _asked(database: str, question: Question) -> tuple[str, dict[str, Any]]:
    """Return the statement that answers a question, and its parameters."""
    parts = [part.value for part in question.parts]
    bound: dict[str, Any] = {
        "kinds": sorted({kind for one in question.measures for kind in kinds_of(one)}),
        "measures": question.measures,
        "since": _number(question.since),
        "until": _number(question.until),
    }
    where = "kind IN {kinds:Array(String)} AND measure IN {measures:Array(String)} AND day BETWEEN {since:Int32} AND {until:Int32}"
    for name, kind in (("campaign_id", "UUID"), ("channel", "String"), ("currency", "String")):
        if (value := getattr(question, name)) is not None:
            bound[name] = str(value)
            where += f" AND {name} = {{{name}:{kind}}}"
    names = ", ".join([*parts, "measure", "currency"])
    lists = ", ".join(f"moves.{name} AS {name}" for name in _MOVES)
    # The names of parts come from an enumeration, that of the database from the settings, which hold it to a pattern.
    statement = f"""
        SELECT {names}, sum(value) AS value_sum, uniqExact(person_id) AS people
        FROM {database}.fact FINAL ARRAY JOIN {lists}
        WHERE {where} GROUP BY {names} HAVING value_sum != 0 LIMIT {MOST_LINES + 1}"""  # noqa: S608
    return statement, bound


def _number(day: date) -> int:
    return (day - _EPOCH).days


def _line(row: dict[str, Any]) -> AnswerLine:
    values = {**row, "value": row["value_sum"]}
    del values["value_sum"]
    for part in (Dimension.DAY.value, Dimension.MONTH.value):
        if part in values:
            values[part] = _EPOCH + timedelta(days=values[part])
    return AnswerLine(**values)
