"""What rules and programmes have done about people, and the tasks that wait for somebody."""

from uuid import UUID

from campaign_svc.actions import queries, usecases
from campaign_svc.actions.schemas import StepOut, TaskDoneIn
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant

router = Router(prefix="/v1/steps", tags=["rules"])
tasks = Router(prefix="/v1/tasks", tags=["rules"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.get("", policy=READ)
async def list_steps(
    tx: Read,
    person_id: UUID | None = None,
    asker_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[StepOut]:
    """Return what was done about people, each with its reason: of a person, or by a rule, milestone or programme."""
    items = await queries.list_steps(
        tx, person_id=person_id, asker_id=asker_id, after=id_after(cursor), limit=limit
    )
    return _page(items, limit)


@tasks.get("", policy=READ)
async def list_tasks(
    tx: Read,
    team: str | None = None,
    due_before: Instant | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[StepOut]:
    """Return the tasks that wait for somebody."""
    items = await queries.list_tasks(
        tx, team=team, due_before=due_before, after=id_after(cursor), limit=limit
    )
    return _page(items, limit)


@tasks.post("/{task_id}/done", policy=WRITE)
async def finish_task(task_id: UUID, body: TaskDoneIn, tx: Write) -> StepOut:
    """Say that a task is done."""
    return StepOut.model_validate(await usecases.finish_task(tx, task_id, body.note))


def _page(items: list[StepOut], limit: int) -> Page[StepOut]:
    return page_by_id(items, limit)
