"""Shapes of the restricted books."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from kantis_kit.web.schemas import In, Out


class LookIn(In):
    """Why somebody looks at what is restricted; it stands in the audit log."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "Tax audit of 2026, letter of 3 March"}}
    )

    reason: Annotated[str, StringConstraints(min_length=3, max_length=500)]


class RestrictedRecipientOut(Out):
    """To whom an invoice of a forgotten person was made out; deleted after `keep_until`.

    A repeated request with the same Idempotency-Key says no more who it was: nothing stores that a second time.
    """

    invoice_id: UUID
    number: str
    recipient: str | None
    keep_until: date
