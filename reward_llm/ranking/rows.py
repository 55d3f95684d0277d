"""A request as it was sent becomes the networks' input, as `ranker.features` makes it of a row of a log.

One request is too small for columns: this writes the arrays at once, and is held to the encoder by a test.
"""

# M candidates, F numeric features, C categorical features

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch

from ranker.features import FeatureEncoder
from ranker.features.facts import UNKNOWN_AGE_DAYS, stable_ids
from ranker.features.fitted import LARGEST_DEVIATION, FittedFeature
from ranker.features.spec import OWN_CATEGORIES, OWN_NUMBERS
from ranker.requests import UNPINNED, Requests
from reward_llm.domain.ranking import SUPPLY_TYPES, Candidate, Feature, RankingRequest, SupplyType
from reward_llm.errors import RankingInvalid, Violation

_DAY_S: Final = 86_400
_OWN: Final = frozenset({*OWN_NUMBERS, *OWN_CATEGORIES})
MOST_NAMED: Final = 50
"""Features that an answer names as missing or unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """A batch of one request, and the features that it lacks or that nobody knows."""

    requests: Requests
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


class RowReader:
    """Reads requests by the features that a checkpoint was fitted with."""

    def __init__(self, features: FeatureEncoder) -> None:
        self._features = features
        self._user_numbers = _Numbers([f for f in features.user if f.feature.kind == "numeric"])
        self._numbers = _Numbers([f for f in features.item if f.feature.kind == "numeric"])
        self._categories = [_Category(f) for f in features.item if f.feature.kind == "categorical"]
        categories = [f for f in features.user if f.feature.kind == "categorical"]
        self._user_categories = {f.feature.name: _Category(f) for f in categories}
        self._user_kinds = {f.feature.name: f.feature.kind for f in features.user}
        self._item_kinds = {t: _kinds_of(features.item, t) for t in SUPPLY_TYPES}

    def read(self, request: RankingRequest) -> ReadRequest:
        """The request as a batch of one.

        Raises:
            RankingInvalid: If a number is sent as text, or text as a number.
        """
        candidates = request.candidates
        self._check_kinds(request)
        facts = _Facts.of(request, cold_start_age_days=self._features.spec.cold_start_age_days)
        one = {
            "user_BF": self._user_input(request.user),
            "item_BMF": self._numbers.of_candidates(candidates, facts),
            "item_id_BMC": self._ids(candidates, facts),
            **facts.tensors(),
        }
        return ReadRequest(
            requests=Requests(**{name: torch.from_numpy(array).unsqueeze(0) for name, array in one.items()}),
            missing=tuple(self._missing(request))[:MOST_NAMED],
            unknown=tuple(self._unknown(request))[:MOST_NAMED],
        )

    def _user_input(self, user: Mapping[str, Feature]) -> np.ndarray:
        """Numbers and ones in the order of the features."""
        number = iter(self._user_numbers.of_user(user))
        parts: list[np.ndarray | list[np.float32]] = [np.zeros(0, dtype=np.float32)]
        for fitted in self._features.user:
            category = self._user_categories.get(fitted.feature.name)
            parts.append(category.ones(user.get(category.name)) if category else [next(number)])
        return np.concatenate(parts)

    def _ids(self, candidates: Sequence[Candidate], facts: _Facts) -> np.ndarray:
        id_MC = np.zeros((len(candidates), len(self._categories)), dtype=np.int64)
        for place, category in enumerate(self._categories):
            id_MC[:, place] = [category.ids.get(v, 0) for v in category.values(candidates)]
            if category.supply_type is not None:
                id_MC[facts.supply_type_M != category.supply_type, place] = 0
        return id_MC

    def _check_kinds(self, request: RankingRequest) -> None:
        wrong = [*_wrong_kinds("user", request.user, self._user_kinds)]
        for place, candidate in enumerate(request.candidates):
            kinds = self._item_kinds[candidate.supply_type]
            wrong += _wrong_kinds(f"candidates/{place}/features", candidate.features, kinds)
        if wrong:
            message = "features are of another kind than the ranker was trained with"
            raise RankingInvalid(message, violations=wrong[:MOST_NAMED])

    def _missing(self, request: RankingRequest) -> Iterable[str]:
        sent: dict[SupplyType, set[str]] = {}
        for candidate in request.candidates:
            sent.setdefault(candidate.supply_type, set()).update(candidate.features)
        yield from sorted(f"user.{n}" for n in self._user_kinds.keys() - request.user.keys())
        yield from sorted({f"item.{n}" for t, names in sent.items() for n in self._item_kinds[t].keys() - names})

    def _unknown(self, request: RankingRequest) -> Iterable[str]:
        sent = {(n, c.supply_type) for c in request.candidates for n in c.features}
        yield from sorted(f"user.{n}" for n in request.user.keys() - self._user_kinds.keys())
        yield from sorted({f"item.{n}" for n, t in sent if n not in self._item_kinds[t]})


class _Numbers:
    """Numeric features, transformed and standardised together."""

    def __init__(self, fitted: Sequence[FittedFeature]) -> None:
        self._names = [f.feature.name for f in fitted]
        self._types = [None if f.supply_type is None else _place(f.supply_type) for f in fitted]
        self._is_log_F = np.array([f.feature.transform == "log1p" for f in fitted], dtype=np.bool_)
        self._mean_F = np.array([f.mean for f in fitted])
        self._std_F = np.array([f.std for f in fitted])

    def of_user(self, user: Mapping[str, Feature]) -> np.ndarray:
        raw_1F = np.array([[_number(user.get(n)) for n in self._names]], dtype=np.float64)
        return self._standard(raw_1F).ravel()

    def of_candidates(self, candidates: Sequence[Candidate], facts: _Facts) -> np.ndarray:
        raw_MF = np.empty((len(candidates), len(self._names)))
        for place, name in enumerate(self._names):
            own = facts.numbers.get(name)
            raw_MF[:, place] = [_number(c.features.get(name)) for c in candidates] if own is None else own
        standard_MF = self._standard(raw_MF)
        for place, supply_type in enumerate(self._types):
            if supply_type is not None:
                standard_MF[facts.supply_type_M != supply_type, place] = 0
        return standard_MF

    def _standard(self, raw_MF: np.ndarray) -> np.ndarray:
        """As `FittedFeature.numbers`, of values that a log keeps as float32."""
        with np.errstate(over="ignore"):
            kept_MF = raw_MF.astype(np.float32).astype(np.float64)
        logs_MF = np.sign(kept_MF) * np.log1p(np.abs(kept_MF))
        value_MF = (np.where(self._is_log_F, logs_MF, kept_MF) - self._mean_F) / self._std_F
        known_MF = np.where(np.isfinite(value_MF), value_MF, 0.0)
        standard_MF: np.ndarray = known_MF.clip(-LARGEST_DEVIATION, LARGEST_DEVIATION).astype(np.float32)
        return standard_MF


class _Category:
    """A categorical feature: an id for every value that was frequent in training."""

    def __init__(self, fitted: FittedFeature) -> None:
        self.name = fitted.feature.name
        self.supply_type = None if fitted.supply_type is None else _place(fitted.supply_type)
        self.ids = {value: place for place, value in enumerate(fitted.values, start=1)}
        self._size = fitted.feature.size

    def values(self, candidates: Sequence[Candidate]) -> list[Any]:
        if self.name in OWN_CATEGORIES:
            return [getattr(c, self.name) for c in candidates]
        return [c.features.get(self.name) for c in candidates]

    def ones(self, value: Feature | None) -> np.ndarray:
        one_F = np.zeros(self._size, dtype=np.float32)
        one_F[self.ids.get(value, 0) if isinstance(value, str) else 0] = 1
        return one_F


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What utilities and rules read, as `ranker.features.facts` takes it from a log."""

    price_M: np.ndarray
    age_days_M: np.ndarray
    is_new_M: np.ndarray
    group_M: np.ndarray
    supply_type_M: np.ndarray
    seller_M: np.ndarray
    category_M: np.ndarray
    pinned_M: np.ndarray
    forbidden_M: np.ndarray

    @classmethod
    def of(cls, request: RankingRequest, *, cold_start_age_days: float) -> _Facts:
        candidates, now_s = request.candidates, int(request.at.timestamp())
        known_M = np.array([c.published is not None for c in candidates])
        age_days_M = np.array([max((now_s - (c.published or 0)) / _DAY_S, 0) for c in candidates])
        return cls(
            price_M=np.array([c.price or 0.0 for c in candidates], dtype=np.float32),
            age_days_M=np.where(known_M, age_days_M, UNKNOWN_AGE_DAYS).astype(np.float32),
            is_new_M=known_M & (age_days_M < cold_start_age_days),
            group_M=np.array([c.group for c in candidates], dtype=np.int64),
            supply_type_M=np.array([_place(c.supply_type) for c in candidates], dtype=np.int64),
            seller_M=stable_ids(pa.array([c.seller for c in candidates], pa.string())),
            category_M=stable_ids(pa.array([c.category for c in candidates], pa.string())),
            pinned_M=np.array([request.pinned.get(c.item_id, UNPINNED) for c in candidates], dtype=np.int64),
            forbidden_M=np.array([c.forbidden for c in candidates], dtype=np.bool_),
        )

    @property
    def numbers(self) -> Mapping[str, np.ndarray]:
        return {"price": self.price_M, "age_days": self.age_days_M, "group": self.group_M}

    def tensors(self) -> dict[str, np.ndarray]:
        return {
            "valid_BM": np.ones(len(self.price_M), dtype=np.bool_),
            "price_BM": self.price_M,
            "age_days_BM": self.age_days_M,
            "seller_BM": self.seller_M,
            "category_BM": self.category_M,
            "group_BM": self.group_M,
            "supply_type_BM": self.supply_type_M,
            "is_new_BM": self.is_new_M,
            "pinned_BM": self.pinned_M,
            "forbidden_BM": self.forbidden_M,
        }


def _place(supply_type: str) -> int:
    return _PLACES[supply_type]


_PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(SUPPLY_TYPES)}


def _number(value: Feature | None) -> float:
    return value if isinstance(value, (int, float)) else np.nan


def _kinds_of(fitted: Iterable[FittedFeature], supply_type: str) -> dict[str, str]:
    """The features that are sent for candidates of a type, and whether each is numeric or categorical."""
    own = (f for f in fitted if f.supply_type in {None, supply_type} and f.feature.name not in _OWN)
    return {f.feature.name: f.feature.kind for f in own}


def _wrong_kinds(path: str, sent: Mapping[str, Feature], kinds: Mapping[str, str]) -> Iterable[Violation]:
    for name, value in sent.items():
        kind = kinds.get(name)
        if kind is not None and isinstance(value, str) is not (kind == "categorical"):
            wanted = "text" if kind == "categorical" else "a number"
            yield Violation(path=f"{path}/{name}", code="kind", message=f"{wanted} is expected")
