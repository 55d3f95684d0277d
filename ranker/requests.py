"""What the ranker ranks and what it learns from: batches, padded to the longest request.

Padding is the same everywhere: `valid_BM` is False, features, ids and flags are 0 and pins are -1; slates end in -1.
Nothing may depend on what else stands there.
"""

# B batch, M candidates, S slates a request, N slate, F features, C categorical features

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor

from ranker.errors import (
    CandidatesMissing,
    FeatureNotFinite,
    PinInvalid,
    ShapeMismatch,
    SlateInvalid,
    ValueOutOfRange,
)

SUPPLY_TYPES: Final = ("product", "live", "video", "article")
UNPINNED: Final = -1
EMPTY: Final = -1

Rows = Tensor | slice | list[int]

_DTYPES: Final[Mapping[str, torch.dtype]] = {
    "user_BF": torch.float32,
    "item_BMF": torch.float32,
    "item_id_BMC": torch.int64,
    "valid_BM": torch.bool,
    "price_BM": torch.float32,
    "age_days_BM": torch.float32,
    "seller_BM": torch.int64,
    "category_BM": torch.int64,
    "group_BM": torch.int64,
    "supply_type_BM": torch.int64,
    "is_new_BM": torch.bool,
    "pinned_BM": torch.int64,
    "forbidden_BM": torch.bool,
}
_NON_NEGATIVE: Final = ("item_id_BMC", "price_BM", "age_days_BM", "seller_BM", "category_BM", "group_BM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """A batch of ranking requests.

    Every candidate is described by numbers (`item_BMF`, standardised), by ids to embed (`item_id_BMC`, 0 for unknown)
    and by the facts that utilities and rules read.
    """

    user_BF: Tensor
    """float32."""
    item_BMF: Tensor
    """float32, numeric features of the candidates."""
    item_id_BMC: Tensor
    """int64, categorical features of the candidates; 0 is unknown."""
    valid_BM: Tensor
    """bool; False is padding."""
    price_BM: Tensor
    """float32, at least 0, in the log's currency."""
    age_days_BM: Tensor
    """float32, at least 0, days since the item was published."""
    seller_BM: Tensor
    """int64; 0 is unknown."""
    category_BM: Tensor
    """int64; 0 is unknown."""
    group_BM: Tensor
    """int64, priority of the item's supply group; 0 comes first."""
    supply_type_BM: Tensor
    """int64, index into `SUPPLY_TYPES`."""
    is_new_BM: Tensor
    """bool: younger than the cold-start age."""
    pinned_BM: Tensor
    """int64, the slot (from 0) that the item is guaranteed; -1 for none."""
    forbidden_BM: Tensor
    """bool: never shown."""

    @property
    def B(self) -> int:  # noqa: N802
        """Requests in the batch."""
        return self.valid_BM.shape[0]

    @property
    def M(self) -> int:  # noqa: N802
        """Candidates of the longest request."""
        return self.valid_BM.shape[1]

    @property
    def allowed_BM(self) -> Tensor:  # noqa: N802
        """bool: what may be shown."""
        return self.valid_BM & ~self.forbidden_BM

    def to(self, device: torch.device | str) -> Requests:
        """Give the same requests on a device."""
        return Requests(**{name: value.to(device) for name, value in self.tensors().items()})

    def select(self, rows: Rows) -> Requests:
        """Give some of the requests, in the order of `rows` (indices, a bool mask or a slice)."""
        return Requests(**{name: value[rows] for name, value in self.tensors().items()})

    def padded_to(self, candidates: int) -> Requests:
        """Give the same requests with padding up to `candidates`.

        Raises:
            ShapeMismatch: If there are more candidates already.
        """
        if candidates < self.M:
            raise ShapeMismatch(f"{self.M} candidates can't be padded to {candidates}")
        extra = candidates - self.M
        tensors = {name: _padded(name, value, extra) for name, value in self.tensors().items()}
        return Requests(**tensors)

    def permuted(self, order_BM: Tensor) -> Requests:
        """Give the same requests with candidate `order_BM[b, i]` of old in place i."""
        rows_B1 = torch.arange(self.B, device=order_BM.device)[:, None]
        moved = {name: value[rows_B1, order_BM] for name, value in self.tensors().items() if name != "user_BF"}
        return Requests(user_BF=self.user_BF, **moved)

    def tensors(self) -> dict[str, Tensor]:
        """Give every field by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self, *, size: int | None = None) -> None:
        """Make sure that the batch can be ranked, for slates of `size` where that is known.

        Raises:
            ShapeMismatch: If a tensor has another type or shape than agreed.
            FeatureNotFinite: If a feature is NaN or infinite, in padding too.
            ValueOutOfRange: If a price, an age or an id is negative, or a supply type is unknown.
            CandidatesMissing: If a request has no candidate that may be shown, or fewer than `size`.
            PinInvalid: If a pin can't be kept.
        """
        _check_shapes(self)
        _check_values(self)
        _check_candidates(self, size)
        _check_pins(self, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlatePredictions:
    """What the evaluator expects of S slates a request, every value in [0, 1]."""

    click_BSN: Tensor
    """float32, probability of a click at every position; whatever at empty ones."""
    purchase_BSN: Tensor
    """float32, probability of a purchase at every position (not given a click)."""
    satisfaction_BS: Tensor
    """float32, of the list as a whole."""
    retention_BS: Tensor
    """float32, probability that the user returns on the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLists:
    """What was shown and what came of it."""

    requests: Requests
    shown_BN: Tensor
    """int64 index into the candidates, -1 for padding at the end."""
    click_BN: Tensor
    """bool."""
    purchase_BN: Tensor
    """bool."""
    dwell_BN: Tensor
    """float32, seconds, at least 0."""
    returned_B: Tensor
    """bool: the user came back on the next day."""
    timestamp_B: Tensor
    """int64, seconds since 1970 in UTC."""
    propensity_BN: Tensor | None = None
    """float32 in (0, 1]: probability that the position is examined, where the log knows it."""

    @property
    def B(self) -> int:  # noqa: N802
        """Lists in the log."""
        return self.shown_BN.shape[0]

    @property
    def N(self) -> int:  # noqa: N802
        """Length of the longest list."""
        return self.shown_BN.shape[1]

    @property
    def filled_BN(self) -> Tensor:  # noqa: N802
        """bool: positions at which something was shown."""
        return self.shown_BN != EMPTY

    def to(self, device: torch.device | str) -> LoggedLists:
        """Give the same lists on a device."""
        moved = {name: value.to(device) for name, value in self.tensors().items()}
        return LoggedLists(requests=self.requests.to(device), **moved)

    def select(self, rows: Rows) -> LoggedLists:
        """Give some of the lists, in the order of `rows` (indices, a bool mask or a slice)."""
        chosen = {name: value[rows] for name, value in self.tensors().items()}
        return LoggedLists(requests=self.requests.select(rows), **chosen)

    def tensors(self) -> dict[str, Tensor]:
        """Give every field but the requests by name; the propensities only where they are known."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "requests"}
        return {name: value for name, value in values.items() if value is not None}

    def check(self) -> None:
        """Make sure that the lists can be learned from.

        Raises:
            RequestInvalid: If the requests or the shapes of the outcomes are wrong.
            SlateInvalid: If a list shows an item twice, an index that isn't a candidate's, or has a hole.
        """
        self.requests.check()
        _check_outcomes(self)
        check_slates(self.shown_BN[:, None], self.requests)


def check_slates(slate_BSN: Tensor, requests: Requests) -> None:
    """Make sure that slates show candidates of their requests, none twice, and are empty only at the end.

    Raises:
        ShapeMismatch: If the slates aren't int64 of (B, S, N).
        SlateInvalid: Otherwise.
    """
    if slate_BSN.ndim != 3 or slate_BSN.shape[0] != requests.B or slate_BSN.dtype != torch.int64:
        raise ShapeMismatch(f"slates are int64 of ({requests.B}, S, N), not {_kind(slate_BSN)}")
    filled_BSN = slate_BSN != EMPTY
    if bool(((slate_BSN < EMPTY) | (slate_BSN >= requests.M)).any()):
        raise SlateInvalid(f"a slate points outside the {requests.M} candidates", hint="use -1 for an empty slot")
    if bool((filled_BSN[..., 1:] & ~filled_BSN[..., :-1]).any()):
        raise SlateInvalid("a slate has an empty slot before a filled one")
    shown_BSM = times_shown(slate_BSN, requests.M)
    if bool((shown_BSM > 1).any()):
        raise SlateInvalid("a slate shows an item twice")
    if bool(((shown_BSM > 0) & ~requests.valid_BM[:, None]).any()):
        raise SlateInvalid("a slate shows padding")


def times_shown(slate_BSN: Tensor, candidates: int) -> Tensor:
    """Give how often every candidate occurs in every slate, int64 of (B, S, M)."""
    shown_BSM = slate_BSN.new_zeros((*slate_BSN.shape[:-1], candidates + 1))
    ones_BSN = torch.ones_like(slate_BSN)
    return shown_BSM.scatter_add(-1, slate_BSN + 1, ones_BSN)[..., 1:]


def _padded(name: str, value: Tensor, extra: int) -> Tensor:
    if name == "user_BF":
        return value
    fill = UNPINNED if name == "pinned_BM" else 0
    shape = (value.shape[0], extra, *value.shape[2:])
    return torch.cat([value, value.new_full(shape, fill)], dim=1)


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} of {tuple(value.shape)}"


def _check_shapes(requests: Requests) -> None:
    if requests.valid_BM.ndim != 2:
        raise ShapeMismatch(f"valid_BM is bool of (B, M), not {_kind(requests.valid_BM)}")
    batch, candidates = requests.valid_BM.shape
    for name, value in requests.tensors().items():
        lead = (batch,) if name == "user_BF" else (batch, candidates)
        rank = len(name.rpartition("_")[2])
        if value.dtype != _DTYPES[name] or value.ndim != rank or value.shape[: len(lead)] != lead:
            wanted = f"{str(_DTYPES[name]).removeprefix('torch.')} of {rank} dimensions, first {lead}"
            raise ShapeMismatch(f"{name} is {wanted}, not {_kind(value)}", hint="pad each request to the longest")


def _check_values(requests: Requests) -> None:
    for name, value in requests.tensors().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            row = int((~torch.isfinite(value)).nonzero()[0, 0])
            raise FeatureNotFinite(
                f"{name} has a NaN or infinite value in request {row}",
                hint="fill gaps before ranking, in padding too",
            )
        if name in _NON_NEGATIVE and bool((value < 0).any()):
            row = int((value < 0).nonzero()[0, 0])
            raise ValueOutOfRange(f"{name} has a negative value in request {row}")
    known = (requests.supply_type_BM >= 0) & (requests.supply_type_BM < len(SUPPLY_TYPES))
    if not bool(known.all()):
        raise ValueOutOfRange("supply_type_BM has an unknown type", hint=f"types are 0 to {len(SUPPLY_TYPES) - 1}")


def _check_candidates(requests: Requests, size: int | None) -> None:
    needed = 1 if size is None else size
    available_B = requests.allowed_BM.sum(1)
    if bool((available_B < needed).any()):
        row = int((available_B < needed).nonzero()[0, 0])
        raise CandidatesMissing(
            f"request {row} has {int(available_B[row])} candidates that may be shown, and {needed} are needed",
            hint="send more candidates or ask for a shorter slate",
        )


def _check_pins(requests: Requests, size: int | None) -> None:
    pinned_BM = requests.pinned_BM
    is_pinned_BM = pinned_BM != UNPINNED
    limit = requests.M if size is None else size
    if bool(((pinned_BM < UNPINNED) | (pinned_BM >= limit)).any()):
        raise PinInvalid(f"a pin lies outside slots 0 to {limit - 1}", hint="-1 stands for no pin")
    if bool((is_pinned_BM & ~requests.allowed_BM).any()):
        raise PinInvalid("a pinned item is forbidden or padding")
    pins_BL = times_shown(torch.where(is_pinned_BM, pinned_BM, EMPTY), limit)
    if bool((pins_BL > 1).any()):
        row, slot = (pins_BL > 1).nonzero()[0].tolist()
        raise PinInvalid(f"two items of request {row} are pinned to slot {slot}", hint="pin one item a slot")


def _check_outcomes(lists: LoggedLists) -> None:
    batch, size = lists.requests.B, lists.N if lists.shown_BN.ndim == 2 else 0
    kinds = {"shown_BN": torch.int64, "click_BN": torch.bool, "purchase_BN": torch.bool, "dwell_BN": torch.float32}
    kinds |= {"returned_B": torch.bool, "timestamp_B": torch.int64, "propensity_BN": torch.float32}
    for name, value in lists.tensors().items():
        wanted = (batch, size) if name.endswith("_BN") else (batch,)
        if value.shape != wanted or value.dtype != kinds[name]:
            raise ShapeMismatch(f"{name} is {kinds[name]} of {wanted}, not {_kind(value)}")
    if not bool(torch.isfinite(lists.dwell_BN).all()) or bool((lists.dwell_BN < 0).any()):
        raise ValueOutOfRange("dwell_BN has a negative or infinite time")
    propensity = lists.propensity_BN
    if propensity is not None and not bool(((propensity > 0) & (propensity <= 1)).all()):
        raise ValueOutOfRange("propensity_BN has a value outside (0, 1]", hint="put 1 where nothing was shown")
    if bool((~lists.filled_BN & (lists.click_BN | lists.purchase_BN)).any()):
        raise SlateInvalid("a list has a click where nothing was shown")
