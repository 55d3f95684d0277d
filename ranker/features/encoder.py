"""A feature spec that was fitted to a log: it turns logs into the networks' input."""

# B requests, M candidates, N slate, F features, C categorical features, I candidates of all requests together

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from ranker.data.log_format import ITEM_PREFIX, USER_PREFIX, check_log
from ranker.data.ragged import Ragged, lengths
from ranker.errors import FeatureSpecInvalid
from ranker.features.facts import CandidateFacts
from ranker.features.fitted import FittedFeature
from ranker.features.spec import OWN_CATEGORIES, OWN_NUMBERS, Feature, FeatureSpec
from ranker.requests import EMPTY, SUPPLY_TYPES, UNPINNED, LoggedLists, Requests


class FeatureEncoder(BaseModel):
    """What turns rows of a log into `Requests` and `LoggedLists`; saved with the networks that were trained on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: FeatureSpec
    user: tuple[FittedFeature, ...]
    item: tuple[FittedFeature, ...]

    @classmethod
    def fit(cls, spec: FeatureSpec, log: pa.Table) -> FeatureEncoder:
        """Learn means, deviations and vocabularies from a training log.

        Raises:
            LogInvalid: If it isn't a list-wise log.
            FeatureSpecInvalid: If it doesn't have a column that the spec names.
        """
        table = check_log(log, outcomes=False)
        facts = CandidateFacts.of(table, cold_start_age_days=spec.cold_start_age_days)
        return cls(
            spec=spec,
            user=tuple(FittedFeature.of(feature, _user_column(table, feature)) for feature in spec.user),
            item=tuple(
                FittedFeature.of(feature, _of_type(table, facts, feature, supply_type), supply_type)
                for supply_type, feature in spec.item.by_type()
            ),
        )

    @classmethod
    def parse(cls, text: str) -> FeatureEncoder:
        """Read an encoder from the JSON of `dump`.

        Raises:
            FeatureSpecInvalid: If it isn't one.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as exc:
            raise FeatureSpecInvalid(
                f"the fitted features can't be read: {exc.error_count()} errors in them"
            ) from exc

    def dump(self) -> str:
        """Give the encoder as JSON."""
        return self.model_dump_json()

    @property
    def user_width(self) -> int:
        """F of `user_BF`."""
        return sum(fitted.feature.size for fitted in self.user)

    @property
    def item_width(self) -> int:
        """F of `item_BMF`."""
        return sum(fitted.feature.kind == "numeric" for fitted in self.item)

    @property
    def vocabularies(self) -> tuple[int, ...]:
        """Number of ids of every column of `item_id_BMC`, 0 included."""
        return tuple(fitted.feature.size for fitted in self.item if fitted.feature.kind == "categorical")

    def requests(self, log: pa.Table) -> Requests:
        """Give the requests of a log; what was shown and what came of it may be missing.

        Raises:
            LogInvalid: If it isn't a list-wise log.
            FeatureSpecInvalid: If it doesn't have a column that the spec names.
        """
        return self._requests(check_log(log, outcomes=False))

    def lists(self, log: pa.Table) -> LoggedLists:
        """Give the lists of a log with what came of them.

        Raises:
            LogInvalid: If it isn't a list-wise log.
            FeatureSpecInvalid: If it doesn't have a column that the spec names.
        """
        table = check_log(log)
        return LoggedLists(
            requests=self._requests(table),
            shown_BN=_padded(table, "shown", np.int64, EMPTY),
            click_BN=_padded(table, "click", np.bool_, False),
            purchase_BN=_padded(table, "purchase", np.bool_, False),
            dwell_BN=_padded(table, "dwell_s", np.float32, 0.0),
            returned_B=torch.from_numpy(table.column("returned").to_numpy().copy()),
            timestamp_B=torch.from_numpy(table.column("timestamp").to_numpy().copy()),
            propensity_BN=_propensity(table),
        )

    def _requests(self, table: pa.Table) -> Requests:
        facts = CandidateFacts.of(table, cold_start_age_days=self.spec.cold_start_age_days)
        width = int(lengths(table.column("item_id")).max())

        def placed(flat_I: np.ndarray, fill: Any = 0) -> Tensor:
            return torch.from_numpy(facts.layout.padded(flat_I, width, fill=fill))

        return Requests(
            user_BF=self._user_input(table),
            item_BMF=self._item_input(table, facts, "numeric", width),
            item_id_BMC=self._item_input(table, facts, "categorical", width),
            valid_BM=placed(np.ones(len(facts.layout.row), dtype=np.bool_)),
            price_BM=placed(facts.price_I),
            age_days_BM=placed(facts.age_days_I),
            seller_BM=placed(facts.seller_I),
            category_BM=placed(facts.category_I),
            group_BM=placed(facts.group_I),
            supply_type_BM=placed(facts.supply_type_I),
            is_new_BM=placed(facts.is_new_I),
            pinned_BM=placed(facts.pinned_I, fill=UNPINNED),
            forbidden_BM=placed(facts.forbidden_I),
        )

    def _user_input(self, table: pa.Table) -> Tensor:
        columns = [np.zeros((table.num_rows, 0), dtype=np.float32)]
        for fitted in self.user:
            values = _user_column(table, fitted.feature)
            if fitted.feature.kind == "numeric":
                columns.append(fitted.numbers(values)[:, None])
            else:
                columns.append(np.eye(fitted.feature.size, dtype=np.float32)[fitted.ids(values)])
        return torch.from_numpy(np.concatenate(columns, axis=1))

    def _item_input(self, table: pa.Table, facts: CandidateFacts, kind: str, width: int) -> Tensor:
        dtype = np.float32 if kind == "numeric" else np.int64
        features = [fitted for fitted in self.item if fitted.feature.kind == kind]
        input_BMF = np.zeros((table.num_rows, width, len(features)), dtype=dtype)
        for place, fitted in enumerate(features):
            values = _item_column(table, facts, fitted.feature)
            value_I = fitted.numbers(values) if kind == "numeric" else fitted.ids(values)
            of_type_I = _is_of_type(facts, fitted.supply_type)
            input_BMF[..., place] = facts.layout.padded(np.where(of_type_I, value_I, 0).astype(dtype), width)
        return torch.from_numpy(input_BMF)


def _user_column(table: pa.Table, feature: Feature) -> pa.Array:
    name = f"{USER_PREFIX}{feature.name}"
    if name not in table.column_names:
        raise FeatureSpecInvalid(f"the log has no column {name}, which the feature spec names")
    return table.column(name).combine_chunks()


def _item_column(table: pa.Table, facts: CandidateFacts, feature: Feature) -> pa.Array:
    if feature.name in OWN_NUMBERS:
        return pa.array(facts.number(feature.name))
    name = feature.name if feature.name in OWN_CATEGORIES else f"{ITEM_PREFIX}{feature.name}"
    if name not in table.column_names:
        raise FeatureSpecInvalid(f"the log has no column {name}, which the feature spec names")
    return Ragged.of(table.column(name)).values


def _is_of_type(facts: CandidateFacts, supply_type: str | None) -> np.ndarray:
    if supply_type is None:
        return np.ones(len(facts.layout.row), dtype=np.bool_)
    of_type_I: np.ndarray = facts.supply_type_I == SUPPLY_TYPES.index(supply_type)
    return of_type_I


def _of_type(table: pa.Table, facts: CandidateFacts, feature: Feature, supply_type: str | None) -> pa.Array:
    return _item_column(table, facts, feature).filter(pa.array(_is_of_type(facts, supply_type)))


def _padded(table: pa.Table, name: str, dtype: Any, fill: Any) -> Tensor:
    column = Ragged.of(table.column(name))
    width = int(lengths(table.column("shown")).max())
    return torch.from_numpy(column.padded(column.numbers(missing=fill).astype(dtype), width, fill=fill))


def _propensity(table: pa.Table) -> Tensor | None:
    if "propensity" not in table.column_names:
        return None
    return _padded(table, "propensity", np.float32, 1.0)
