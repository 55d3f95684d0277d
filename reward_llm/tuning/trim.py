"""A smaller Qwen2 out of a larger one: fewer layers, and no tokens that its task doesn't use.

What is left out isn't made up for: a model with fewer layers has to be tuned before it reads anything again. A model
with all its layers gives the tokens that are kept the same logits as before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoTokenizer, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.errors import InvalidInput
from reward_llm.tuning.export import write_papers, write_weights
from reward_llm.tuning.trim_vocabulary import TrimmedVocabulary, trim_vocabulary
from reward_llm.validation.checkpoints import TRAINING_REPORT, check_shape, verify_checkpoint

_CARD: Final = """\
---
base_model: {base}
library_name: transformers
---

# {base}, trimmed

Layers {layers} of {all_layers}, and {tokens:,} of {all_tokens:,} tokens: {parameters:.1f} M parameters. The base's
license and limits hold for it as well. {state}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """What was left of a model."""

    layers: tuple[int, ...]
    """The layers that were kept, counted from 0."""
    all_layers: int
    tokens: int
    all_tokens: int
    parameters: int
    all_parameters: int


def trim(
    base: Path, out_dir: Path, *, layers: int | None = None, texts: Iterable[str] = (), share: float | None = None
) -> Trimmed:
    """Write a smaller model to `out_dir`.

    Args:
        base: A Qwen2 checkpoint.
        out_dir: The folder of the new one.
        layers: How many stay, evenly spaced, the first and the last among them; None keeps all.
        texts: What the model is to read and write: prompts and answers.
        share: The share of the vocabulary that stays at least, beside what the texts use; None keeps all of it.

    Raises:
        CheckpointInvalid: If the base can't be used.
        InvalidInput: If it has fewer layers, or would be written over.
    """
    verify_checkpoint(base)
    check_shape(base)
    if out_dir.resolve() == base.resolve():
        raise InvalidInput(f"{out_dir} is the base itself", hint="Give another folder with --out.")
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = Qwen2ForCausalLM.from_pretrained(base, local_files_only=True, dtype="auto")
    whole = _size(model)
    all_layers, all_tokens = model.config.num_hidden_layers, model.config.vocab_size
    kept = evenly_spaced(layers if layers is not None else all_layers, all_layers)
    vocabulary = trim_vocabulary(tokenizer, texts, 1.0 if share is None else share)
    _keep_layers(model, kept)
    _keep_tokens(model, vocabulary)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_weights(model, out_dir)
    vocabulary.write(base, out_dir)
    trimmed = Trimmed(
        layers=kept,
        all_layers=all_layers,
        tokens=len(vocabulary.old_ids),
        all_tokens=all_tokens,
        parameters=_size(model),
        all_parameters=whole,
    )
    (out_dir / TRAINING_REPORT).unlink(missing_ok=True)
    if (base / TRAINING_REPORT).is_file():
        (out_dir / TRAINING_REPORT).write_bytes((base / TRAINING_REPORT).read_bytes())
    write_papers(out_dir, None, _card(base, trimmed))
    return trimmed


def evenly_spaced(count: int, of: int) -> tuple[int, ...]:
    """So many layers of a model, the first and the last among them.

    >>> evenly_spaced(4, 24)
    (0, 8, 15, 23)

    Raises:
        InvalidInput: If that can't be.
    """
    if not min(2, of) <= count <= of:
        raise InvalidInput(f"{count} of {of} layers can't be kept", hint=f"Keep {min(2, of)} to {of}.")
    return tuple(round(i * (of - 1) / max(1, count - 1)) for i in range(count))


def _keep_layers(model: Qwen2ForCausalLM, kept: tuple[int, ...]) -> None:
    config, layers = model.config, model.model.layers
    model.model.layers = nn.ModuleList(layers[i] for i in kept)
    for place, layer in enumerate(model.model.layers):
        layer.self_attn.layer_idx = place
    config.layer_types = [config.layer_types[i] for i in kept]
    config.num_hidden_layers = len(kept)
    config.max_window_layers = min(config.max_window_layers, len(kept))


def _keep_tokens(model: Qwen2ForCausalLM, vocabulary: TrimmedVocabulary) -> None:
    """Keep the rows of tokens that stay, and drop those that stand for no token."""
    rows = torch.tensor(vocabulary.old_ids)
    vectors = model.get_input_embeddings().weight.detach()[rows]
    embedding = nn.Embedding(vectors.shape[0], vectors.shape[1], _weight=vectors)
    head = nn.Linear(vectors.shape[1], len(rows), bias=False, dtype=vectors.dtype)
    head.weight = nn.Parameter(model.get_output_embeddings().weight.detach()[rows])
    model.set_input_embeddings(embedding)
    model.set_output_embeddings(head)
    model.config.vocab_size = len(rows)
    model.tie_weights()
    for settings in (model.config, model.generation_config):
        for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
            setattr(settings, name, _renumbered(getattr(settings, name, None), vocabulary.new_ids))


def _renumbered(ids: Any, new_ids: dict[int, int]) -> Any:
    if isinstance(ids, list):
        return [new_ids[i] for i in ids if i in new_ids]
    return new_ids.get(ids) if ids is not None else None


def _size(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def _card(base: Path, trimmed: Trimmed) -> str:
    whole = len(trimmed.layers) == trimmed.all_layers
    return _CARD.format(
        base=base.resolve().name,
        layers=", ".join(map(str, trimmed.layers)),
        all_layers=trimmed.all_layers,
        tokens=trimmed.tokens,
        all_tokens=trimmed.all_tokens,
        parameters=trimmed.parameters / 1e6,
        state="It has all its layers." if whole else "It reads nothing until it is tuned: layers are missing.",
    )
