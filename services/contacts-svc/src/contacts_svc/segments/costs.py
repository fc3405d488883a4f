"""What a condition would cost, asked of the planner before anything is run."""

from typing import Any

from sqlalchemy import ClauseElement, Executable, Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from contacts_svc.segments.errors import ConditionTooCostly
from contacts_svc.settings import ContactsSettings
from kantis_kit.tx import ReadTx

_ROOM = "64MB"


class _Plan(Executable, ClauseElement):
    """EXPLAIN of a statement."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Plan)
def _write_plan(element: _Plan, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.statement, **options)


async def check_cost(tx: ReadTx, statement: Select[Any]) -> float:
    """Return the planner's cost of a statement; nothing is run.

    Raises:
        ConditionTooCostly: it is above the limit of the settings.
    """
    plan = await tx.scalar(_Plan(statement))
    cost = float(plan[0]["Plan"]["Total Cost"])
    limit = tx.settings(ContactsSettings).segment_max_cost
    if cost > limit:
        raise ConditionTooCostly(
            f"It would cost {cost:,.0f} of at most {limit:,.0f} units; ask for fewer counts, or for"
            " shorter windows, or split it into segments of their own",
            cost=cost,
            limit=limit,
        )
    return cost


async def bound_time(tx: ReadTx) -> None:
    """Let no statement of this transaction run longer than a preview may."""
    milliseconds = tx.settings(ContactsSettings).segment_preview_timeout_ms
    await tx.execute(select(func.set_config("statement_timeout", str(milliseconds), True)))  # noqa: FBT003 - is_local


async def give_room(tx: ReadTx) -> None:
    """Let this transaction join everybody in memory: it looks at the whole register, and few do at a time.

    What a verdict will be the planner cannot foresee; where it expects few, it would look row by row at all the others,
    which takes the square of the time (25 s instead of 0.3 for 15,000 people). It may take longer than what somebody
    waits for: what is cancelled would be begun from the start.
    """
    longest = str(tx.settings(ContactsSettings).segment_sweep_timeout_ms)
    for name, value in (
        ("work_mem", _ROOM),
        ("enable_nestloop", "off"),
        ("statement_timeout", longest),
    ):
        await tx.execute(select(func.set_config(name, value, True)))  # noqa: FBT003 - is_local
