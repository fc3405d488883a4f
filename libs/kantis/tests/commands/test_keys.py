"""`kantis keys`: a role that is none is told with those that there are, before any database is asked."""

from typer.testing import CliRunner

from kantis.cli import app


def test_a_role_that_is_none_is_refused_with_those_that_there_are():
    result = CliRunner().invoke(app, ["keys", "create", "--role", "boss"])

    assert result.exit_code == 2
    assert "administrator" in result.output
    assert "Traceback" not in result.output
