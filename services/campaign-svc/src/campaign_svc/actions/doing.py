"""Who does what the slices above this one own: programmes and coupons, handed in where the service is put together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from campaign_svc.actions.model import Asker, Target
from campaign_svc.actions.schemas import Action
from kantis_kit.tx import ReadTx, Tx


@dataclass(frozen=True, slots=True)
class Doer:
    """Does one kind of action."""

    is_there: Callable[[ReadTx, Action], Awaitable[bool]]
    """Whether what an action names is there, before anything rests on it."""
    do: Callable[[Tx, Asker, Action, Sequence[Target]], Awaitable[None]]
    """Does it to these people, each for the first time; when what it names is gone meanwhile, to nobody."""


@dataclass(frozen=True, slots=True)
class Doers:
    """The doers of the kinds that other slices own, by kind."""

    by_kind: Mapping[str, Doer]
