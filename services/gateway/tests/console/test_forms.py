"""Forms: what is typed becomes the value that was meant, or is refused; a part of a path stays one part."""

import pytest

from gateway.console.calls import ApiRefused
from gateway.console.forms import Field, Form

FORM = Form(
    "pay", "POST", "/v1/things/{thing_id}/pay", "x", [Field("sum", "money"), Field("n", "number")]
)


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("249", 24_900),
        ("1 234,50", 123_450),
        ("1\N{NO-BREAK SPACE}234.5", 123_450),
        ("-3,10", -310),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed, minor):
    assert {"sum": minor} == FORM.body_of({"sum": typed})


@pytest.mark.parametrize("typed", ["1,999", "0.001", "inf", "NaN", "1e999999", "1.2.3", "ten"])
def test_an_amount_that_is_none_is_refused_at_its_field_and_never_rounded(typed):
    with pytest.raises(ApiRefused) as caught:
        FORM.body_of({"sum": typed})

    assert ["sum"] == [one["field"] for one in caught.value.problem["errors"]]


@pytest.mark.parametrize(
    ("typed", "number"), [("7", 7), ("-7", -7), ("2,5", 2.5), ("1 000", 1_000)]
)
def test_a_number_is_read_as_people_write_it(typed, number):
    body = FORM.body_of({"n": typed})

    assert {"n": number} == body
    assert type(number) is type(body["n"])


@pytest.mark.parametrize("typed", ["inf", "nan", "\N{SUPERSCRIPT TWO}", "1e999999999"])
def test_a_number_that_has_no_end_is_refused(typed):
    with pytest.raises(ApiRefused):
        FORM.body_of({"n": typed})


@pytest.mark.parametrize("given", ["", ".", "..", "a/b", "../keys"])
def test_a_part_of_a_path_leads_nowhere_else(given):
    assert "/v1/things/-/pay" == FORM.target({"thing_id": given})
