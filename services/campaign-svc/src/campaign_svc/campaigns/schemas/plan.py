"""What is planned: campaigns with their offers and cells."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from campaign_svc.campaigns.schemas.words import (
    KeyCode,
    ListId,
    Metric,
    Minor,
    Name,
    Percent,
    Priority,
    ResponsePercent,
    TopicKey,
    WhenShort,
)
from kantis_contracts.values import Channel, Currency, Purpose
from kantis_kit.web.schemas import In, Instant, Out


class Experiment(In):
    """Compare the cells on a part of the audience; the rest waits and gets the winner.

    The figures may be looked at whenever one likes: the test stays valid (always-valid p-values).
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"share_pct": 20, "metric": "ordered", "alpha_pct": 5}]}
    )

    share_pct: Annotated[int, Field(ge=1, le=99)] = 20
    metric: Metric = Metric.RESPONDED
    alpha_pct: Annotated[
        Decimal,
        Field(ge=Decimal("0.1"), le=20, description="How often a winner may be named in error"),
    ] = Decimal(5)
    lift_pct: Annotated[
        Decimal,
        Field(gt=0, le=1000, description="The smallest difference worth finding, in % of the rate"),
    ] = Decimal(20)
    decide_by: Instant | None = None
    """Without a winner until then, the best cell so far is sent to the rest."""


Capacity = Annotated[int | None, Field(ge=1, le=100_000_000, description="At most so many pieces")]
HoldOut = Annotated[
    int, Field(ge=0, le=90, description="So many percent of the reached get nothing, to compare")
]
WithoutSegments = Annotated[
    list[UUID], Field(max_length=20, description="Who is in one of these segments stays out")
]
WithoutDebtors = Annotated[
    bool, Field(description="Whoever is reminded of an invoice is offered nothing")
]


class CampaignIn(In):
    """A campaign to plan."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Autumn boots",
                    "segment_id": "0198f000-0000-7000-8000-000000000001",
                    "purpose": "offers",
                    "currency": "NOK",
                    "budget_minor": 2000000,
                    "expected_response_pct": 2,
                }
            ]
        }
    )

    name: Name
    segment_id: UUID
    purpose: Purpose = Purpose.OFFERS
    channel: Channel = Channel.EMAIL
    topic: TopicKey = ""
    list_id: ListId = None
    budget_minor: Minor | None = None
    currency: Currency
    not_after: Instant | None = None
    expected_response_pct: ResponsePercent = Decimal(2)
    priority: Priority = 50
    when_short: WhenShort = WhenShort.REFUSE
    capacity: Capacity = None
    hold_out_pct: HoldOut = 0
    without_segments: WithoutSegments = []
    without_debtors: WithoutDebtors = True
    experiment: Experiment | None = None


_MAY_BE_EMPTY = {"budget_minor", "capacity", "experiment", "list_id", "not_after"}


class CampaignPatch(In):
    """What is to change; a field that is not sent stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Winter boots", "budget_minor": 2500000}]}
    )

    name: Name | None = None
    segment_id: UUID | None = None
    purpose: Purpose | None = None
    channel: Channel | None = None
    topic: TopicKey | None = None
    list_id: ListId = None
    budget_minor: Minor | None = None
    currency: Currency | None = None
    not_after: Instant | None = None
    expected_response_pct: ResponsePercent | None = None
    priority: Priority | None = None
    when_short: WhenShort | None = None
    capacity: Capacity = None
    hold_out_pct: HoldOut | None = None
    without_segments: WithoutSegments | None = None
    without_debtors: WithoutDebtors | None = None
    experiment: Experiment | None = None

    @model_validator(mode="after")
    def refuse_emptying(self) -> "CampaignPatch":
        """Only what is optional may be set to null."""
        for name in self.model_fields_set - _MAY_BE_EMPTY:
            if getattr(self, name) is None:
                message = f"{name} cannot be null; leave it out to keep it"
                raise ValueError(message)
        return self


class OfferIn(In):
    """A product to offer; without a price of its own it asks the product's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"product_id": "0198f000-0000-7000-8000-000000000002", "price_minor": 119900}
            ]
        }
    )

    product_id: UUID
    name: Name | None = None
    price_minor: Minor | None = None
    packaging: Annotated[
        list[UUID],
        Field(max_length=20, description="Products of which each order takes one: carton, leaflet"),
    ] = []


class OfferOut(Out):
    """An offer; `price_minor` is the price that would be, or was, printed."""

    id: UUID
    campaign_id: UUID
    product_id: UUID
    name: str
    price_minor: int
    has_own_price: bool
    currency: str
    packaging: list[UUID]


class RouteIn(In):
    """A channel of a cell, the template that is used there, and what a piece costs."""

    channel: Channel
    template_id: UUID
    cost_per_piece_minor: Minor = 0


def _one_each(routes: list[RouteIn]) -> list[RouteIn]:
    channels = [route.channel.value for route in routes]
    twice = sorted({channel for channel in channels if channels.count(channel) > 1})
    if twice:
        message = f"{', '.join(twice)} stands twice; a channel has one place in the order"
        raise ValueError(message)
    return routes


Routes = Annotated[
    list[RouteIn],
    Field(
        max_length=len(Channel),
        description="Channels in the order in which they are tried, after what the person likes best",
    ),
    AfterValidator(_one_each),
]


class CellIn(In):
    """A test cell to add, with one template in the campaign's channel or with `routes`; without a key code one is made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Full price",
                    "key_code": "AUT-A",
                    "share_pct": 50,
                    "template_id": "0198f000-0000-7000-8000-000000000003",
                    "cost_per_piece_minor": 15,
                },
                {
                    "name": "Mail, else a letter",
                    "share_pct": 50,
                    "routes": [
                        {
                            "channel": "email",
                            "template_id": "0198f000-0000-7000-8000-000000000003",
                            "cost_per_piece_minor": 15,
                        },
                        {
                            "channel": "letter",
                            "template_id": "0198f000-0000-7000-8000-000000000004",
                            "cost_per_piece_minor": 1450,
                        },
                    ],
                },
            ]
        }
    )

    name: Name
    key_code: KeyCode | None = None
    share_pct: Percent
    template_id: UUID | None = None
    offer_id: UUID | None = None
    cost_per_piece_minor: Minor = 0
    routes: Routes = []

    @model_validator(mode="after")
    def check_words(self) -> "CellIn":
        """A cell says something, in one way."""
        if (self.template_id is None) == (not self.routes):
            message = "give template_id, for the campaign's channel, or routes, one per channel"
            raise ValueError(message)
        return self


class CellPatch(In):
    """What is to change of a cell; a field that is not sent stays. `routes` replace all its channels."""

    name: Name | None = None
    share_pct: Percent | None = None
    template_id: UUID | None = None
    offer_id: UUID | None = None
    cost_per_piece_minor: Minor | None = None
    routes: Routes | None = None

    @model_validator(mode="after")
    def refuse_emptying(self) -> "CellPatch":
        """Only the offer may be set to null, and one change speaks of channels in one way."""
        for name in self.model_fields_set - {"offer_id"}:
            if getattr(self, name) is None:
                message = f"{name} cannot be null; leave it out to keep it"
                raise ValueError(message)
        if self.routes and self.model_fields_set & {"template_id", "cost_per_piece_minor"}:
            message = "routes: the templates and costs stand in the routes"
            raise ValueError(message)
        return self


class RouteOut(Out):
    """A channel of a cell."""

    channel: Channel
    template_id: UUID
    cost_per_piece_minor: int


class CellOut(Out):
    """A test cell; without `routes` it speaks in the campaign's channel."""

    id: UUID
    campaign_id: UUID
    name: str
    key_code: str
    share_pct: int
    template_id: UUID
    offer_id: UUID | None
    cost_per_piece_minor: int
    routes: list[RouteOut]
