"""Reports as files: whatever is there as CSV is there as Parquet, with types; text stays as it is where nothing evaluates it."""

import io
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pyarrow as pa
import pytest
from pyarrow import parquet

from analytics_svc.campaigns.schemas import CampaignReport, CellReport, Numbers, Rate
from analytics_svc.campaigns.table import CellLine, lines_of
from analytics_svc.main import SPEC
from analytics_svc.parquet import ROWS, items_as_parquet
from analytics_svc.tables import items_as_csv
from kantis_kit.web.schemas import Out


class Way(StrEnum):
    WEB = "web"


class Sample(Out):
    id: UUID
    name: str
    way: Way
    on: date
    at: datetime | None
    is_new: bool
    spent_minor: int
    mean: float | None
    some_rate: Rate | None


COLUMNS = {
    "id": pa.string(), "name": pa.string(), "way": pa.string(), "on": pa.date32(), "at": pa.timestamp("us", tz="UTC"),
    "is_new": pa.bool_(), "spent_minor": pa.int64(), "mean": pa.float64(), "some_rate": pa.float64(),
    "some_rate_low": pa.float64(), "some_rate_high": pa.float64(),
}  # fmt: skip


def sample(number, **more):
    values = {
        "id": UUID(int=number), "name": "Åse", "way": Way.WEB, "on": date(2026, 3, 1), "at": None, "is_new": True,
        "spent_minor": 2**53 + 1, "mean": None, "some_rate": None,
    }  # fmt: skip
    return Sample(**values | more)


def read(items, kind=Sample):
    return parquet.read_table(io.BytesIO(items_as_parquet(items, kind)))


def test_columns_have_the_types_of_their_fields():
    oslo = timezone(timedelta(hours=2))
    found = read(
        [sample(1, at=datetime(2026, 3, 1, 1, tzinfo=oslo), some_rate=Rate(hits=1, tries=2, value=0.5, low=0.1, high=0.9))]
    )  # fmt: skip

    assert COLUMNS == {field.name: field.type for field in found.schema}
    (row,) = found.to_pylist()
    assert (2**53 + 1, datetime(2026, 2, 28, 23, tzinfo=UTC)) == (row["spent_minor"], row["at"])
    assert (0.5, 0.1, 0.9) == (row["some_rate"], row["some_rate_low"], row["some_rate_high"])


def test_what_is_not_known_is_null_and_no_lines_leave_the_columns():
    (row,) = read([sample(1)]).to_pylist()

    assert [None] * 3 == [row["at"], row["mean"], row["some_rate"]]
    assert COLUMNS == {field.name: field.type for field in read([]).schema}


def test_many_lines_are_written_in_groups():
    items = [sample(number) for number in range(ROWS + 1)]
    written = parquet.ParquetFile(io.BytesIO(items_as_parquet(items, Sample)))

    assert [ROWS, 1] == [written.metadata.row_group(one).num_rows for one in range(2)]
    assert [str(one.id) for one in items] == written.read(["id"])["id"].to_pylist()


def test_text_is_guarded_where_a_spreadsheet_would_evaluate_it_and_only_there():
    formula = "=1+2"

    assert f"'{formula}" in items_as_csv([sample(1, name=formula)], Sample)
    assert [formula] == read([sample(1, name=formula)])["name"].to_pylist()


def test_a_field_without_a_column_is_told():
    class Odd(Out):
        amounts: dict[str, int]

    with pytest.raises(TypeError, match="has no column"):
        items_as_parquet([], Odd)


def test_a_campaigns_cells_and_their_sum_are_lines():
    rate = Rate(hits=1, tries=4, value=0.25, low=0.05, high=0.7)
    report = CampaignReport(
        campaign_id=UUID(int=1), name="Vår", channel="email", currency="NOK", offer_name="", launched_at=None, days=[],
        cells=[CellReport(cell_id=UUID(int=2), name="A", key_code="K1", paid_minor=900, response_rate=rate)],
        total=Numbers(paid_minor=900, response_rate=rate),
    )  # fmt: skip

    rows = read(lines_of(report), CellLine).to_pylist()

    assert [("Vår", "A", "K1", 900, 0.25), ("Vår", "TOTAL", "", 900, 0.25)] == [
        (one["campaign"], one["cell"], one["key_code"], one["paid_minor"], one["response_rate"])
        for one in rows
    ]


async def test_every_report_that_is_there_as_csv_is_there_as_parquet(rig_for):
    rig = await rig_for(SPEC)
    paths = rig.service.openapi()["paths"]
    tables = {path.removesuffix(".csv") for path in paths if path.endswith(".csv")}
    columns = {path.removesuffix(".parquet") for path in paths if path.endswith(".parquet")}

    assert tables == columns
    assert len(tables) > 10
    for path in columns:
        ((method, operation),) = paths[f"{path}.parquet"].items()  # a funnel is asked for by POST
        assert ["application/vnd.apache.parquet"] == list(operation["responses"]["200"]["content"])
        other = paths[f"{path}.csv"][method]
        assert [other.get(one) for one in ("parameters", "requestBody")] == [
            operation.get(one) for one in ("parameters", "requestBody")
        ]


async def test_the_form_is_read_from_the_path_however_it_is_written(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        answers = [
            await client.get(f"/v1/reports/lists{end}", params={"since": "2026-01-01", "until": "2026-02-01"})
            for end in ("%2Ecsv", ".parquet")
        ]  # fmt: skip

    assert [200, 200] == [one.status_code for one in answers]
    assert 'attachment; filename="lists.parquet"' == answers[1].headers["content-disposition"]


def test_who_starts_the_service_does_not_load_the_library():
    code = "import sys, analytics_svc.main; print('pyarrow' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == ran.stdout.strip()
