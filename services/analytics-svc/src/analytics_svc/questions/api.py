"""The routes of questions about raw facts."""

from typing import Annotated

from fastapi import Query, Response

from analytics_svc.files import AskedForm, as_file, file_routes
from analytics_svc.questions import queries
from analytics_svc.questions.schemas import Answer, AnswerLine, Question
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
READ = needs("analytics:read")
Asked = Annotated[Question, Query()]


@router.get("/questions", policy=READ)
async def ask_question(tx: Read, question: Asked) -> Answer:
    """Return what facts add up to by campaign, cell, channel, label, day or month, counted anew from the facts.

    Reports read sums and are quick; this reads facts, as many as the question is about. Where they are many, let ClickHouse
    answer (KANTIS_ANALYTICS_FACT_STORE).
    """
    return await queries.ask(tx, question)


@file_routes(router, "/questions", policy=READ)
async def ask_question_file(tx: Read, form: AskedForm, question: Asked) -> Response:
    """Return what facts add up to, counted anew from the facts, as a file."""
    answer = await queries.ask(tx, question)
    return await as_file("questions", form, answer.items, AnswerLine)
