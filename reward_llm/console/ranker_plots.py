"""What a ranker's training reported, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reward_llm.console.charts import Series, line_chart
from reward_llm.console.wording import Texts

Rows = Sequence[Mapping[str, Any]]


def reliability_plot(bins: Rows, t: Texts) -> Markup:
    """How often clicks came, by how likely they were said to be; the diagonal is what would be right."""
    if not bins:
        return Markup("")
    expected = [b["expected"] for b in bins]
    observed = [b["observed"] for b in bins]
    top = max(*expected, *observed)
    lines = [
        Series(name=t("ranker.plots.observed"), xs=expected, ys=observed),
        Series(name=t("ranker.plots.right"), xs=[0.0, top], ys=[0.0, top]),
    ]
    return line_chart(lines, title=t("ranker.plots.reliability"))


def slate_rows(slates: Rows, t: Texts) -> list[dict[str, Any]]:
    """The scores of slates, with what their weights are called."""
    return [{**row, "called": _called(row["weights"], t)} for row in slates]


def _called(weights: str, t: Texts) -> str:
    if t.has(f"ranker.weights.{weights}"):
        return t(f"ranker.weights.{weights}")
    return t("ranker.alone", name=t.word("concept", weights))
