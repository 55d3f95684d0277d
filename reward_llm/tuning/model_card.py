"""The model card: what the model is, what it was trained on and what it can't do."""

from __future__ import annotations

from typing import Final

from reward_llm.tuning.config import SEED_SOURCE, Score, TrainingReport

_CARD: Final = """\
---
language: [zh, en]
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---

# Goal model

Reads a business goal for a recommender feed, in Chinese, English or both, and answers with one JSON document:
which of seven concepts (click, gmv, satisfaction, retention, diversity, cold_start, group_order) it wants raised,
lowered or held, and how strongly; `no_change` if it asks for nothing of the kind.

A Qwen2 of {parameters:.1f} M parameters ({layers} layers, width {hidden}, {heads} heads, {vocabulary} tokens),
{begun}. It does this one task and knows nothing else.

## Use

The user's message is `{{"goal":"…","lexicon":{{"gmv":"raise clear","click":"named"}}}}`: the goal, and what the
project's lexicon says of the concepts that it names (`reward_llm.reading.rules.RuleReader.hints`). The chat template
drops system turns and all turns after the first user turn. Decode greedily, under the JSON schema of the answer. The
same folder loads in transformers and in vLLM (`--max-model-len 2048`).

## Data

Goals written and labelled by hand:

{goals}

Of the examples, {written:.0%} come from these, varied ({joined:.0%} of those that ask for something are joined to
another goal; names of metrics, numbers, spelling, punctuation, greetings and asides change); the others are made by
a bilingual grammar. {nothing:.0%} ask for nothing. The lexicon's hints are left out of {without_hints:.0%} of the
prompts, and of {without_known_hints:.0%} of those from `{seed_source}.jsonl`, which the lexicon was written from.
Goals of {weights} as often as others.

## Recipe

{steps:,} steps in {minutes:.0f} minutes on {threads} CPU cores; batches of up to {batch_tokens:,} tokens; AdamW,
learning rate {learning_rate:g} after {warmup} warmup steps, cosine to 2 %; weight decay {weight_decay:g}, dropout
{dropout:g}; loss on answers, and {prompt_weight:g} of that on prompts; the weights are a moving average (decay
{average:g}). Seed {seed}. Final training loss {loss:.3f} nats a token.

## Scores

{scores}

The project's `docs/benchmarks.md` has its scores on goals by other hands, beside the lexicon alone.

## Limits

- Goals that name a metric in words that occur in neither the corpus nor the grammar are often misread.
- It doesn't compare numbers: "CTR from 5 % to 4 %" may be read as a raise.
- Long texts with many asides, and irony, are read less well than a plain sentence.
- Its probabilities are calibrated only by a `calibration.json` beside the weights (`reward-llm model calibrate`).
- Other languages than Chinese and English mostly give `no_change` or a guess.
"""


def model_card(report: TrainingReport) -> str:
    """The card in Markdown."""
    config = report.config
    return _CARD.format(
        parameters=report.parameters / 1e6,
        layers=config.shape.layers,
        hidden=config.shape.hidden,
        heads=config.shape.heads,
        vocabulary=f"{config.shape.vocabulary:,}",
        goals=_goals(report.goals),
        begun=_begun(report.started_from),
        written=config.mix.written,
        joined=config.mix.joined,
        nothing=config.mix.nothing,
        without_hints=config.mix.without_hints,
        without_known_hints=config.mix.without_known_hints,
        seed_source=SEED_SOURCE,
        weights=", ".join(f"`{name}.jsonl` are drawn {w:g} times" for name, w in config.mix.weights.items()),
        steps=report.steps,
        minutes=report.elapsed_s / 60,
        threads=config.threads,
        batch_tokens=config.mix.batch_tokens,
        learning_rate=config.learning_rate,
        warmup=config.warmup_steps,
        weight_decay=config.weight_decay,
        dropout=config.dropout,
        prompt_weight=config.prompt_weight,
        average=config.average,
        seed=config.seed,
        loss=report.loss,
        scores=_scores(report.score),
    )


def _begun(digest: str | None) -> str:
    if digest is None:
        return "trained from scratch together with its tokenizer"
    return f"trained on from a checkpoint (SHA-256 {digest[:12]}…) that was trained from scratch with its tokenizer"


def _goals(goals: dict[str, int]) -> str:
    rows = [f"| {name}.jsonl | {count:,} |" for name, count in sorted(goals.items())]
    return "\n".join(["| file | goals |", "|---|---|", *rows, f"| all | {sum(goals.values()):,} |"])


def _scores(score: Score | None) -> str:
    if score is None:
        return "No goals were held back from this run; see the project's evaluation for scores on other goals."
    rows = [
        ("every utility and direction right, none too many", score.directional),
        ("the same, of goals that ask for something", score.asking),
        ("texts that ask for nothing, read so", score.abstention),
        ("every emphasis right as well", score.exact),
    ]
    table = [f"| {name} | {share:.3f} |" for name, share in rows if share is not None]
    return "\n".join(
        [f"On {score.goals} hand-written goals that were held back:", "", "| measure | share |", "|---|---|", *table]
    )
