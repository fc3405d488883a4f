"""One description of everything, true of what is there."""

import pytest

from gateway.docs.examples import Unknown, example_of
from gateway.docs.merge import METHODS, merge


def document(path, *, schema, name="Thing", operation="list", security=True):
    return {
        "paths": {
            path: {
                "post": {
                    "operationId": operation,
                    "tags": ["things"],
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}
                        }
                    },
                    "responses": {},
                    **({"security": [{"key": []}]} if security else {}),
                }
            }
        },
        "components": {"schemas": {name: schema}},
    }


STRING, NUMBER = {"type": "string"}, {"type": "integer"}


def test_schemas_of_one_name_and_two_meanings_are_told_apart():
    merged = merge(
        {
            "orders": document("/v1/orders", schema=STRING),
            "contacts": document("/v1/contacts", schema=NUMBER),
        }
    )

    schemas = merged["components"]["schemas"]
    body = merged["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]
    assert {"OrdersThing": STRING, "ContactsThing": NUMBER} == schemas
    assert "#/components/schemas/OrdersThing" == body["schema"]["$ref"]


def test_schemas_of_one_name_and_one_meaning_stay_one():
    merged = merge({"a": document("/v1/a", schema=STRING), "b": document("/v1/b", schema=STRING)})

    assert {"Thing": STRING} == merged["components"]["schemas"]


def test_what_refers_to_something_else_is_something_else():
    one, two = document("/v1/a", schema=STRING), document("/v1/b", schema=NUMBER)
    for each in (one, two):
        each["components"]["schemas"]["List"] = {"items": {"$ref": "#/components/schemas/Thing"}}

    schemas = merge({"a": one, "b": two})["components"]["schemas"]

    assert {"AThing", "BThing", "AList", "BList"} == schemas.keys()
    assert "#/components/schemas/BThing" == schemas["BList"]["items"]["$ref"]


def test_merging_changes_nothing_that_was_given():
    given = document("/v1/a", schema=STRING)
    before = repr(given)

    merge({"a": given, "b": document("/v1/b", schema=NUMBER)})

    assert before == repr(given)


def test_operation_ids_are_unique_and_missing_services_are_named():
    a, b = document("/v1/a", schema=STRING), document("/v1/b", schema=STRING)
    a["paths"]["/v1/c"] = {"post": {**a["paths"]["/v1/a"]["post"]}}

    merged = merge({"a": a, "b": b}, missing=["orders"])

    ids = [
        item[m]["operationId"] for item in merged["paths"].values() for m in METHODS if m in item
    ]
    assert 3 == len(set(ids)) == len(ids)
    assert ["orders"] == merged["x-kantis-missing"]


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string", "minLength": 9}, "examplexx"),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "string", "format": "date"}, "2026-03-02"),
        ({"type": "string", "examples": ["a", "b"]}, "a"),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": 7}, 7),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number", "exclusiveMinimum": 3}, 4),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"anyOf": [{"type": "string", "pattern": "^x$"}, {"type": "integer"}]}, 1),
        ({"$ref": "#/components/schemas/N"}, 1),
        ({"allOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}]}, {"a": 1}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"type": "integer", "default": 50}, 50),
        ({"type": "object", "minProperties": 1, "additionalProperties": {"const": 2},
          "propertyNames": {"enum": ["nb", "sv"]}}, {"nb": 2}),
    ],
)  # fmt: skip
def test_an_example_is_something_that_the_schema_accepts(schema, example):
    assert example == example_of(schema, {"N": NUMBER})


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string", "pattern": "^x$"},
        {"$ref": "#/components/schemas/Self"},
        {"anyOf": [{"type": "null"}]},
        {"type": "object", "minProperties": 1},
    ],
)
def test_no_example_is_better_than_a_wrong_one(schema):
    endless = {"Self": {"$ref": "#/components/schemas/Self"}}

    with pytest.raises(Unknown):
        example_of(schema, endless)
