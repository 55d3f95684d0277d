"""The ranker's comparisons and explanations, in the words of a scenario."""

from __future__ import annotations

from collections.abc import Mapping

from ranker import bootstrap_interval, explanation, whatif
from reward_llm.domain.preview import ExampleSlate, ExplainedItem, Explanation, Interval, Preview, UtilityChange
from reward_llm.ranking.logged import LoggedRequests


def preview_of(
    compared: whatif.Comparison,
    places: Mapping[str, int],
    logged: LoggedRequests,
    *,
    confidence: float,
    ignored: tuple[str, ...],
) -> Preview:
    """A comparison, with the scenario's utilities; `places` are theirs among the checkpoint's."""
    return Preview(
        requests=compared.requests,
        size=compared.size,
        confidence=confidence,
        changes=tuple(_change(name, compared.changes[place]) for name, place in places.items()),
        score=_interval(compared.reward),
        changed_share=compared.changed_share,
        replaced_share=compared.replaced_share,
        examples=tuple(_example(example, logged) for example in compared.examples),
        ignored=ignored,
    )


def explanation_of(
    explained: explanation.Explanation,
    places: Mapping[str, int],
    logged: LoggedRequests,
    row: int,
    *,
    ignored: tuple[str, ...],
) -> Explanation:
    """An explanation of the request in a row of the log, with the scenario's utilities."""
    items = logged.items(row)

    def named(value_K: tuple[float, ...]) -> dict[str, float]:
        return {name: value_K[place] for name, place in places.items()}

    return Explanation(
        request_id=logged.request_id(row),
        weights=named(explained.weight_K),
        utilities=named(explained.value_K),
        influence=named(explained.influence_K),
        items=tuple(
            ExplainedItem(
                item=items[one.item],
                contributions=named(one.contribution_K),
                slot_without={name: one.slot_without_K[place] for name, place in places.items()},
            )
            for one in explained.items
        ),
        ignored=ignored,
    )


def _change(name: str, change: whatif.UtilityChange) -> UtilityChange:
    return UtilityChange(
        utility=name,
        before=change.before,
        after=change.after,
        change=_interval(change.change),
        influence_before=change.influence_before,
        influence_after=change.influence_after,
    )


def _interval(interval: bootstrap_interval.Interval) -> Interval:
    return Interval(mean=interval.mean, low=interval.low, high=interval.high)


def _example(example: whatif.Example, logged: LoggedRequests) -> ExampleSlate:
    items = logged.items(example.row)
    return ExampleSlate(
        request_id=logged.request_id(example.row),
        before=tuple(items[place] for place in example.before),
        after=tuple(items[place] for place in example.after),
    )
