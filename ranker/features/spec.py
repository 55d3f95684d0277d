"""The feature spec as a person writes it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ranker.errors import FeatureSpecInvalid

MOST_FEATURES: Final = 512
LARGEST_VOCABULARY: Final = 10_000_000
LARGEST_USER_VOCABULARY: Final = 256
"""User categories become one number a value."""
OWN_NUMBERS: Final = ("price", "age_days", "group")
OWN_CATEGORIES: Final = ("item_id", "seller", "category")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Feature(BaseModel):
    """One column of a log and what is made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: Literal["numeric", "categorical"]
    transform: Literal["none", "log1p"] = "none"
    vocabulary: Annotated[int, Field(ge=2, le=LARGEST_VOCABULARY)] | None = None

    @model_validator(mode="after")
    def _kind_fits(self) -> Feature:
        if self.kind == "categorical" and self.vocabulary is None:
            raise ValueError(f"{self.name} is categorical and needs a vocabulary")
        if self.kind == "numeric" and self.vocabulary is not None:
            raise ValueError(f"{self.name} is numeric and has no vocabulary")
        if self.kind == "categorical" and self.transform != "none":
            raise ValueError(f"{self.name} is categorical and can't be transformed")
        return self

    @property
    def size(self) -> int:
        """Values that a categorical feature tells apart, unknown included; 1 for a number."""
        return self.vocabulary or 1


class ItemFeatures(BaseModel):
    """Features of candidates: of all, and of each supply type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: tuple[Feature, ...] = ()
    product: tuple[Feature, ...] = ()
    live: tuple[Feature, ...] = ()
    video: tuple[Feature, ...] = ()
    article: tuple[Feature, ...] = ()

    def by_type(self) -> list[tuple[str | None, Feature]]:
        """Give every feature with the supply type that it is of, None for all, in the order of the input."""
        types: list[tuple[str | None, tuple[Feature, ...]]] = [
            (None, self.shared),
            ("product", self.product),
            ("live", self.live),
            ("video", self.video),
            ("article", self.article),
        ]
        return [(supply_type, feature) for supply_type, features in types for feature in features]

    @model_validator(mode="after")
    def _names_are_unique(self) -> ItemFeatures:
        shared = [feature.name for feature in self.shared]
        for supply_type in ("product", "live", "video", "article"):
            _refuse_repeats([*shared, *(feature.name for feature in getattr(self, supply_type))])
        return self

    @model_validator(mode="after")
    def _own_columns_are_of_their_kind(self) -> ItemFeatures:
        for _, feature in self.by_type():
            if feature.name in OWN_NUMBERS and feature.kind != "numeric":
                raise ValueError(f"{feature.name} is a number")
            if feature.name in OWN_CATEGORIES and feature.kind != "categorical":
                raise ValueError(f"{feature.name} is categorical")
        return self


class FeatureSpec(BaseModel):
    """What the networks are shown of a log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    cold_start_age_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 7.0
    user: tuple[Feature, ...] = ()
    item: ItemFeatures

    @model_validator(mode="after")
    def _user_features_fit(self) -> FeatureSpec:
        _refuse_repeats([feature.name for feature in self.user])
        for feature in self.user:
            if feature.size > LARGEST_USER_VOCABULARY:
                raise ValueError(f"the vocabulary of user feature {feature.name} is over {LARGEST_USER_VOCABULARY}")
        return self

    @model_validator(mode="after")
    def _number_of_features_is_bounded(self) -> FeatureSpec:
        count = len(self.user) + len(self.item.by_type())
        if not self.item.by_type() or count > MOST_FEATURES:
            raise ValueError(
                f"a spec has at least one feature of items and at most {MOST_FEATURES} in all, not {count}"
            )
        return self

    @classmethod
    def parse(cls, text: str) -> FeatureSpec:
        """Read a spec from YAML.

        Raises:
            FeatureSpecInvalid: If it isn't YAML, or contradicts itself.
        """
        try:
            return cls.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as exc:
            raise FeatureSpecInvalid(f"the feature spec isn't YAML: {exc}") from exc
        except ValidationError as exc:
            details = "; ".join(_readable(error["loc"], error["msg"]) for error in exc.errors())
            raise FeatureSpecInvalid(f"the feature spec is wrong: {details}", hint="see ranker.features") from exc

    @classmethod
    def load(cls, path: Path) -> FeatureSpec:
        """Read a spec from a file.

        Raises:
            FeatureSpecInvalid: If there is no such file, or what is in it is wrong.
        """
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError) as exc:
            raise FeatureSpecInvalid(f"there is no feature spec to read at {path}") from exc


def shipped_spec() -> FeatureSpec:
    """Give the spec for generated logs."""
    return FeatureSpec.parse(
        resources.files("ranker.features").joinpath("home_feed.yaml").read_text(encoding="utf-8")
    )


def _readable(place: Iterable[object], message: str) -> str:
    where = ".".join(str(part) for part in place)
    return f"{where}: {message}" if where else message


def _refuse_repeats(names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"features are named twice: {', '.join(repeated)}")
