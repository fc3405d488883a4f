"""What can be refused about actions."""

from kantis_kit.errors import Conflict, NotFound


class StepUnknown(NotFound):
    """There is no such step, or it is no task."""

    slug, title = "step-unknown", "There is no such task"


class TaskDone(Conflict):
    """Somebody has done it."""

    slug, title = "task-done", "The task has been done"


class TemplateSells(Conflict):
    """What needs no permission may not be written with a template that sells."""

    slug, title = "template-sells", "The template is written to sell"


class ActionNotAvailable(Conflict):
    """What it names is not there."""

    slug, title = "action-not-available", "This action is not available"
