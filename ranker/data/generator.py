"""A log from simulated users, for a machine without data.

Users, their tastes, boredom and clicks are SARDINE's (Deffayet et al., "SARDINE: A Simulator for Automated
Recommendation in Dynamic and Interactive Environments", ACM TORS 2024; `sardine-rec`): 1,000 items on 10 topics, a
position-based click model whose examination falls by `examination` a slot, less attraction for lists with four items
of one topic, and users who lose interest in what they clicked too much of. Around it are sellers, prices, publish
times, supply types and groups (`catalogue`), and what follows a click (`responses`).

The lists are logged by a noisy ranker that knows the users' tastes by halves, a share of them at random. The
probability of examination of each slot is in the log.
"""

# M candidates, N slate, T topics, I items

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.progress import Progress

from ranker.data.catalogue import DAY_S, Catalogue
from ranker.data.log_format import check_log, log_schema
from ranker.data.responses import dwell_times, purchases, repeats, returns
from ranker.errors import DependencyMissing
from ranker.requests import SUPPLY_TYPES

START: Final = 1_735_689_600
"""1 January 2025 in UTC."""
COLD_START_DAYS: Final = 7
"""Age up to which simulated users are glad of something new."""
MOST_LISTS_A_DAY: Final = 3

_ENVIRONMENT: Final = "sardine/SlateTopK-Uncertain-v0"
_ROWS_AT_ONCE: Final = 256
"""Rows as Python objects, before they become columns."""
_NEVER_ENDS: Final = 10**9
_RECALL_SHARPNESS: Final = 5.0
_RECALL_OF_NEW: Final = 0.8
"""A second source of candidates brings what is new, as feeds have it."""
_TASTE_NOISE: Final = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorConfig:
    """What the simulated log is like.

    Raises:
        ValueError: If a number is out of range.
    """

    lists: int = 2_000
    """Rows of the log."""
    size: int = 10
    """Items shown in each list."""
    fewest_candidates: int = 30
    most_candidates: int = 60
    sellers: int = 80
    days: int = 60
    """Days from `START` that the log covers."""
    examination: float = 0.85
    """Probability that a user who looked at a slot looks at the next one, in (0, 1]."""
    temperature: float = 0.15
    """Noise of the ranker that writes the lists, in units of its score."""
    random_share: float = 0.1
    """Share of the lists that are in random order, in [0, 1]."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.lists < 1 or self.sellers < 1 or self.days < 1 or self.temperature < 0:
            raise ValueError("lists, sellers and days are at least 1, a temperature at least 0")
        if not 1 <= self.size <= self.fewest_candidates <= self.most_candidates:
            raise ValueError("1 <= size <= fewest_candidates <= most_candidates doesn't hold")
        if not (0 < self.examination <= 1 and 0 <= self.random_share <= 1):
            raise ValueError("examination lies in (0, 1] and random_share in [0, 1]")


def generated_log(config: GeneratorConfig | None = None, *, progress: bool = False) -> pa.Table:
    """Give a log of simulated users in the format of `ranker.data`, the same for the same config.

    Raises:
        DependencyMissing: If SARDINE isn't installed.
    """
    config = config or GeneratorConfig()
    market = _Market.opened(config)
    parts: list[pa.Table] = []
    rows = itertools.islice(itertools.chain.from_iterable(market.days()), config.lists)
    with Progress(console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("Simulating lists", total=config.lists)
        while part := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            parts.append(pa.Table.from_pylist(part, schema=market.schema()))
            bar.advance(task, len(part))
    return check_log(pa.concat_tables(parts))


@dataclass(slots=True)
class _Market:
    """SARDINE's users and our items."""

    config: GeneratorConfig
    environment: Any
    catalogue: Catalogue
    columns: dict[str, np.ndarray]
    generator: np.random.Generator
    days_seen: int = 0
    recent_T: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def opened(cls, config: GeneratorConfig) -> _Market:
        environment = _sardine(config)
        environment.reset(seed=config.seed)
        generator = np.random.default_rng(config.seed)
        catalogue = Catalogue.drawn(
            environment.item_embedd, sellers=config.sellers, start=START, days=config.days, generator=generator
        )
        return cls(config, environment, catalogue, _columns(catalogue), generator)

    def schema(self) -> pa.Schema:
        """Give the columns of the log."""
        topics = range(self.environment.num_topics)
        user = [*(f"{kind}_{topic}" for kind in ("taste", "recent") for topic in topics), "days_seen"]
        item = [*self.catalogue.features, "affinity"]
        return log_schema(
            user=dict.fromkeys(user, pa.float32()),
            item=dict.fromkeys(item, pa.float32()),
            optional=("propensity",),
        )

    def days(self) -> Iterator[list[dict[str, Any]]]:
        """Give the lists of one user after the other, a day at a time, without end."""
        return itertools.chain.from_iterable(self.life(user) for user in itertools.count())

    def life(self, user: int) -> Iterator[list[dict[str, Any]]]:
        """Give the lists of one user, a day at a time, until the user doesn't return or the log ends."""
        observation, _ = self.environment.reset()
        self.recent_T = observation["hist"]
        taste_T = self.environment.user_embedd + self.generator.normal(0, _TASTE_NOISE, self.environment.num_topics)
        first = int(self.generator.integers(self.config.days))
        for day in range(first, self.config.days):
            self.days_seen = day - first
            rows, returned = self._day(f"u{user}", taste_T / np.linalg.norm(taste_T), day)
            yield [row | {"returned": returned} for row in rows]
            if not returned:
                return

    def _day(self, user: str, taste_T: np.ndarray, day: int) -> tuple[list[dict[str, Any]], bool]:
        count = int(self.generator.integers(1, MOST_LISTS_A_DAY + 1))
        seconds = np.sort(self.generator.choice(DAY_S, count, replace=False))
        shown = [self._list(user, taste_T, START + day * DAY_S + int(second)) for second in seconds]
        returned = returns(
            sum(sum(row["dwell_s"]) for row, _, _ in shown),
            variety=float(np.mean([variety for _, variety, _ in shown])),
            bored_share=float(self.environment.bored.mean()),
            new_share=float(np.mean([new_share for _, _, new_share in shown])),
            generator=self.generator,
        )
        return [row for row, _, _ in shown], returned

    def _list(self, user: str, taste_T: np.ndarray, now: int) -> tuple[dict[str, Any], float, float]:
        candidate_M, affinity_M = self._recalled(taste_T, now)
        place_N = self._ranked(affinity_M)
        slate_N = candidate_M[place_N]
        before = self._user_features(taste_T)
        observation, _, _, _, info = self.environment.step(slate_N)
        self.recent_T = observation["hist"]
        click_N = info["clicks"].astype(bool)
        dwell_N = dwell_times(self.catalogue, slate_N, click_N, info["relevances"], self.generator)
        row = {
            "request_id": f"{user}-{now}",
            "user_id": user,
            "timestamp": now,
            **before,
            **self._candidate_columns(candidate_M, affinity_M),
            "shown": place_N.tolist(),
            "click": click_N.tolist(),
            "purchase": purchases(self.catalogue, slate_N, click_N, self.generator).tolist(),
            "dwell_s": dwell_N.tolist(),
            "propensity": self.environment.propensities.tolist(),
        }
        variety = float((repeats(self.catalogue.seller_I[slate_N]) == 0).mean())
        new_share = float((now - self.catalogue.published_I[slate_N] < COLD_START_DAYS * DAY_S).mean())
        return row, variety, new_share

    def _recalled(self, taste_T: np.ndarray, now: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the candidates without replacement, by what is known of the user's taste (Gumbel top-k)."""
        affinity_I = self.catalogue.topic_IT @ taste_T
        key_I = _RECALL_SHARPNESS * affinity_I + self.generator.gumbel(size=len(affinity_I))
        age_s_I = now - self.catalogue.published_I
        key_I[age_s_I < COLD_START_DAYS * DAY_S] += _RECALL_OF_NEW
        key_I[age_s_I < 0] = -np.inf
        count = int(self.generator.integers(self.config.fewest_candidates, self.config.most_candidates + 1))
        candidate_M = self.generator.permutation(np.argpartition(-key_I, count)[:count])
        return candidate_M, affinity_I[candidate_M]

    def _ranked(self, affinity_M: np.ndarray) -> np.ndarray:
        if self.generator.uniform() < self.config.random_share:
            return self.generator.permutation(len(affinity_M))[: self.config.size]
        noise_M = self.config.temperature * self.generator.gumbel(size=len(affinity_M))
        place_N: np.ndarray = np.argsort(-(affinity_M + noise_M), kind="stable")[: self.config.size]
        return place_N

    def _user_features(self, taste_T: np.ndarray) -> dict[str, float]:
        tastes = {f"user.taste_{topic}": float(value) for topic, value in enumerate(taste_T)}
        recent = {f"user.recent_{topic}": float(value) for topic, value in enumerate(self.recent_T)}
        return {**tastes, **recent, "user.days_seen": float(self.days_seen)}

    def _candidate_columns(self, candidate_M: np.ndarray, affinity_M: np.ndarray) -> dict[str, list[Any]]:
        columns = {name: value_I[candidate_M].tolist() for name, value_I in self.columns.items()}
        return {**columns, "item.affinity": affinity_M.tolist()}


def _columns(catalogue: Catalogue) -> dict[str, np.ndarray]:
    """Give what the log says of every item, as it will stand in Parquet."""
    columns = {
        "item_id": _named("i", np.arange(len(catalogue.price_I))),
        "supply_type": np.array(SUPPLY_TYPES, dtype=object)[catalogue.supply_type_I],
        "seller": _named("s", catalogue.seller_I),
        "category": _named("c", catalogue.category_I),
        "price": catalogue.price_I,
        "published": catalogue.published_I,
        "group": catalogue.group_I,
    }
    for name, value_I in catalogue.features.items():
        columns[f"item.{name}"] = _nullable(value_I)
    return columns


def _nullable(value_I: np.ndarray) -> np.ndarray:
    nullable_I = value_I.astype(object)
    nullable_I[np.isnan(value_I)] = None
    return nullable_I


def _named(prefix: str, number_I: np.ndarray) -> np.ndarray:
    return np.array([f"{prefix}{number}" for number in number_I], dtype=object)


def _sardine(config: GeneratorConfig) -> Any:
    try:
        import gymnasium  # noqa: PLC0415
        import sardine  # noqa: F401, PLC0415
        from sardine.simulator import Sardine  # noqa: PLC0415
    except ImportError as exc:
        raise DependencyMissing("SARDINE isn't installed", hint="pip install 'reward-llm[ranker]'") from exc
    settings = gymnasium.spec(_ENVIRONMENT).kwargs | {
        "slate_size": config.size,
        "click_prop": config.examination,
        "episode_length": _NEVER_ENDS,
        "boredom_type": "user_tloi",
        "diversity_penalty": 1.5,
    }
    return Sardine(**settings)
