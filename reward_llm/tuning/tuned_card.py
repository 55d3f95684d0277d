"""The model card of a model that was tuned from another."""

from __future__ import annotations

from typing import Final

from reward_llm.domain.completion import Vocabulary
from reward_llm.tuning.config import Score
from reward_llm.tuning.tuning_config import TuningReport

_CARD: Final = """\
---
language: [zh, en]
library_name: transformers
pipeline_tag: text-generation
base_model: {base}
---

# Goal model, tuned

Reads a business goal for a recommender feed, in Chinese, English or both, and answers with one JSON document:
which of seven concepts (click, gmv, satisfaction, retention, diversity, cold_start, group_order) it wants raised,
lowered or held, and how strongly; `no_change` if it asks for nothing of the kind.

A Qwen2 of {parameters:,.1f} M parameters, tuned from `{base}`, whose license and limits hold for it as well:
{method}, {trained:,.2f} M parameters trained{merged}.

## Use

{use} Decode greedily, under the JSON schema of the answer. The same folder loads in transformers and in vLLM.

## Data

| file | goals |
|---|---|
{goals}

## Recipe

{steps:,} steps of {batch} goals in {minutes:.1f} minutes on {threads} CPU cores; AdamW, learning rate
{learning_rate:g} after {warmup} warmup steps, cosine to 2 %; weight decay {weight_decay:g}; loss on answers alone.
{own:.0%} of the goals are one's own where there is a corpus beside them; {varied:.0%} are varied. Seed {seed}. Final
training loss {loss:.3f} nats a token.

## Scores

{scores}
"""
_USE: Final = {
    Vocabulary.CONCEPTS: (
        "The user's message is the goal with the hints of the project's lexicon; the chat template drops all other "
        "turns."
    ),
    Vocabulary.UTILITIES: (
        "The chat is what the project's prompt bundle `goal_to_intents` gives, through the model's own chat "
        "template; the names are those of the scenario `home_feed`."
    ),
}


def tuned_card(report: TuningReport) -> str:
    """The card in Markdown."""
    config = report.config
    return _CARD.format(
        base=report.base,
        parameters=report.parameters / 1e6,
        method=report.method,
        trained=report.trained_parameters / 1e6,
        merged="" if config.lora_rank is None else " in adapters that are merged into the weights",
        use=_USE[report.vocabulary],
        goals="\n".join(f"| {name}.jsonl | {count:,} |" for name, count in sorted(report.goals.items())),
        steps=report.steps,
        batch=config.batch,
        minutes=report.elapsed_s / 60,
        threads=config.threads,
        learning_rate=config.learning_rate,
        warmup=config.warmup_steps,
        weight_decay=config.weight_decay,
        own=config.own,
        varied=config.varied,
        seed=config.seed,
        loss=report.loss,
        scores=_scores(report),
    )


def _scores(report: TuningReport) -> str:
    if report.before is None or report.after is None:
        return "No goals were kept back from this run."
    rows = [f"| {name} | {was} | {now} |" for name, was, now in score_rows(report.before, report.after)]
    head = f"On {report.after.goals} goals that were kept back, read as in the service:"
    return "\n".join([head, "", "| measure | base | tuned |", "|---|---|---|", *rows])


def score_rows(before: Score, after: Score) -> list[tuple[str, str, str]]:
    """The measures, each with both shares in words."""
    rows = [
        ("directional", before.directional, after.directional),
        ("exact", before.exact, after.exact),
        ("no_change", before.abstention, after.abstention),
    ]
    return [(name, _shown(was), _shown(now)) for name, was, now in rows]


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"
