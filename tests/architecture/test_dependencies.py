"""A member may import only what it declares: the check finds what is borrowed from a neighbour."""

from pathlib import Path

import pytest

import check_dependencies


@pytest.fixture
def member(tmp_path: Path) -> Path:
    """A service that declares the kit and holidays, and imports what a test writes into it."""
    (tmp_path / "src/loyalty_svc").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "loyalty-svc"\nversion = "0.1.0"\ndependencies = ["kantis-kit", "holidays"]\n',
        encoding="utf-8",
    )
    return tmp_path


def write(member: Path, source: str) -> None:
    (member / "src/loyalty_svc/main.py").write_text(source, encoding="utf-8")


def test_every_member_declares_what_it_imports(capsys):
    assert check_dependencies.main([]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("borrowed", ["scipy", "lxml", "contacts_svc", "nowhere_to_be_found"])
def test_an_undeclared_import_is_found(member: Path, borrowed: str, capsys):
    write(member, f"import {borrowed}\n")

    assert check_dependencies.main([str(member)]) == 1
    assert borrowed in capsys.readouterr().out


@pytest.mark.parametrize(
    "given", ["kantis_kit", "holidays", "fastapi", "sqlmodel", "loyalty_svc", "json"]
)
def test_what_is_declared_or_comes_with_the_chassis_is_fine(member: Path, given: str):
    write(member, f"import {given}\n")

    assert check_dependencies.main([str(member)]) == 0
