"""Each rule of our own linter finds what it is for, and leaves alone what it is not for."""

from pathlib import Path

import pytest

import lint_kantis

SLICE = "services/orders-svc/src/orders_svc/orders/usecases.py"
TEST = "services/orders-svc/tests/orders/test_usecases.py"
KIT = "libs/kit/src/kantis_kit/tx.py"
MIGRATION = "services/orders-svc/migrations/versions/0001_start.py"


def rules_broken(path: str, source: str) -> set[str]:
    return {finding.rule for finding in lint_kantis.file_findings(path, source)}


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        ("commit", SLICE, "await session.commit()"),
        ("commit", SLICE, "await tx.session.rollback()"),
        ("commit", TEST, "await session.commit()"),
        ("commit", SLICE, "from sqlalchemy.ext.asyncio import async_sessionmaker"),
        ("commit", SLICE, "from sqlalchemy.ext.asyncio import create_async_engine"),
        ("clock", SLICE, "at = datetime.now(UTC)"),
        ("clock", SLICE, "at = datetime.datetime.now(tz=UTC)"),
        ("clock", SLICE, "at = datetime.utcnow()"),
        ("clock", SLICE, "at = datetime.today()"),
        ("clock", SLICE, "on = date.today()"),
        ("clock", KIT, "at = time.time()"),
        ("clock", TEST, "from time import time"),
        ("naive", SLICE, "at = datetime(2026, 3, 2)"),
        ("naive", SLICE, "at = datetime.datetime(2026, 3, 2)"),
        ("naive", SLICE, "at = datetime.fromtimestamp(stamp)"),
        ("naive", SLICE, "at = datetime.utcfromtimestamp(stamp)"),
        ("naive", SLICE, "at = datetime.combine(on, noon)"),
        ("sql", SLICE, "rows = await tx.execute(text('select 1'))"),
        ("sql", SLICE, "clause = sa.text('true')"),
        ("sql", SLICE, "rows = await tx.execute(f'select * from {table}')"),
        ("sql", SLICE, "rows = await connection.fetch('SELECT 1')"),
        ("sql", SLICE, "rows = await connection.fetch('SELECT 1 FROM ' + table)"),
        ("sleep", TEST, "await asyncio.sleep(0.1)"),
        ("sleep", TEST, "time.sleep(1)"),
        ("sleep", "libs/kit/src/kantis_kit/testing/proxy.py", "await asyncio.sleep(1)"),
        ("skip", TEST, "@pytest.mark.skip\ndef test_x(): ..."),
        ("skip", TEST, "@pytest.mark.skipif(True, reason='')\ndef test_x(): ..."),
        ("skip", TEST, "@pytest.mark.xfail\ndef test_x(): ..."),
        ("skip", TEST, "pytest.skip('no server')"),
        ("skip", TEST, "pytest.importorskip('scipy')"),
        ("log", SLICE, "print('paid')"),
        ("log", SLICE, "log = logging.getLogger(__name__)"),
        ("length", SLICE, "x = 1\n" * 401),
        ("length", TEST, "x = 1\n" * 601),
        ("length", MIGRATION, "x = 1\n" * 601),
        ("package", "services/orders-svc/tests/__init__.py", ""),
        ("machine", "README.md", "see /ho" + "me/ada/kantis"),
        ("machine", "requirements.lock", "--index-url https://p" + "ypi.org/simple"),
        ("machine", "libs/kit/src/kantis_kit/db/embedded.py", "FOLDER = '/t" + "mp/kantis'"),
        ("unfinished", SLICE, "x = 1  # TO" + "DO: more"),
        ("unfinished", SLICE, "raise NotImplemented" + "Error"),
    ],
)
def test_a_planted_violation_is_found(rule: str, path: str, source: str):
    assert rule in rules_broken(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (KIT, "await session.commit()"),
        (KIT, "from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine"),
        (KIT, "rows = await session.execute(text('select 1'))"),
        ("libs/kit/src/kantis_kit/clock.py", "at = datetime.now(UTC)"),
        ("libs/kit/src/kantis_kit/testing/waiting.py", "await asyncio.sleep(0.01)"),
        (MIGRATION, "op.execute(f'create table {name} ()')"),
        (MIGRATION, "x = 1\n" * 600),
        (TEST, "x = 1\n" * 600),
        (TEST, "await asyncio.sleep(0)"),
        (TEST, "assert await connection.fetchval('select count(*) from outbox') == 1"),
        (SLICE, "x = 1\n" * 400),
        (SLICE, "at = tx.clock.now()"),
        (SLICE, "at = datetime(2026, 3, 2, tzinfo=UTC)"),
        (SLICE, "at = datetime(2026, 3, 2, 9, 0, 0, 0, UTC)"),
        (SLICE, "at = datetime.fromtimestamp(stamp, tz=UTC)"),
        (SLICE, "at = datetime.combine(on, noon, tzinfo=UTC)"),
        (SLICE, "rows = await tx.execute(select(Order).where(col(Order.id) == order_id))"),
        (SLICE, "text = body.text('plain')"),
        (SLICE, "log = observability.logger(__name__)"),
        (SLICE, "await asyncio.sleep(1)"),
        (SLICE, "class Home:\n    '''/v1/homework and data/work are no machine paths.'''"),
    ],
)
def test_what_the_rules_permit_is_left_alone(path: str, source: str):
    assert rules_broken(path, source) == set()


def test_a_finding_names_file_line_rule_and_the_way_out():
    finding = lint_kantis.file_findings(SLICE, "x = 1\nawait session.commit()\n")[0]

    assert str(finding) == (
        f"{SLICE}:2: commit: only the kit calls commit(): take WriteTx or ReadTx, the edge commits"
    )


ENTRY = '[[allow]]\nrule = "sql"\npath = "{path}"\nreason = "{reason}"\n'


def test_an_exception_with_a_reason_is_allowed_for_that_file_alone():
    here = lint_kantis.file_findings(SLICE, "text('select 1')")
    there = lint_kantis.file_findings(KIT.replace("kit", "kantis"), "text('select 1')")
    listed = ENTRY.format(path=SLICE, reason="compiles conditions to SQL")

    assert lint_kantis.allowed([*here, *there], listed, every_file=True) == there


def test_an_exception_without_a_reason_is_a_finding():
    here = lint_kantis.file_findings(SLICE, "text('select 1')")
    listed = ENTRY.format(path=SLICE, reason="")

    left = lint_kantis.allowed(here, listed, every_file=True)

    assert [finding.rule for finding in left] == ["allow"]


def test_an_exception_that_nothing_needs_is_a_finding():
    listed = ENTRY.format(path=SLICE, reason="compiles conditions to SQL")

    left = lint_kantis.allowed([], listed, every_file=True)

    assert [finding.rule for finding in left] == ["allow"]


@pytest.mark.parametrize(
    "message",
    [
        "feat(orders-svc): book payments set-wise",
        "fix(kit): release the lease when the broker is away\n\nA killed relay kept its rows.\n",
        "feat(contracts)!: replace the price by an amount in minor units",
        "Merge branch 'main'",
        "docs(map): show how an event travels\n# a comment of git\n",
    ],
)
def test_a_good_commit_message_passes(message: str):
    assert lint_kantis.message_problem(message) is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "book payments",
        "feat: book payments",
        "feature(orders-svc): book payments",
        "feat(orders-svc): Book payments",
        "feat(orders-svc): book payments.",
        "feat(Orders): book payments",
        "feat(orders-svc): " + "x" * 101,
        "feat(orders-svc): book payments\nwithout an empty line",
    ],
)
def test_a_bad_commit_message_is_refused(message: str):
    assert lint_kantis.message_problem(message) is not None


def test_the_command_fails_on_a_bad_message_and_says_why(tmp_path: Path, capsys):
    file = tmp_path / "message"
    file.write_text("wip\n", encoding="utf-8")

    assert lint_kantis.main(["--message", str(file)]) == 1
    assert "type(scope): imperative summary" in capsys.readouterr().err
