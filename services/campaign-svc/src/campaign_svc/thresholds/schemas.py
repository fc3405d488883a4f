"""What the API takes and shows of thresholds."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from kantis_kit.web.schemas import In, Out

Number = Annotated[int | None, Field(ge=0, le=100_000_000)]


class ThresholdIn(In):
    """Above `yellow` a launch needs a signature, above `red` it is forbidden; null: never."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"yellow": 10, "red": 40}]})

    yellow: Number = None
    red: Number = None

    @model_validator(mode="after")
    def check_order(self) -> "ThresholdIn":
        """What forbids lies above what asks for a signature."""
        if self.yellow is not None and self.red is not None and self.red < self.yellow:
            message = f"red: {self.red} is below yellow, {self.yellow}; red is the higher one"
            raise ValueError(message)
        return self


class ThresholdOut(Out):
    """A threshold, what its numbers count, and who has set it; nobody has set a default."""

    code: str
    counts: str
    yellow: int | None
    red: int | None
    is_default: bool
    set_by: str = ""
    changed_at: datetime | None = None
