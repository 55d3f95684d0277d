"""Training of a goal model from scratch.

corpus, grammar ──► rounds of batches ──► Qwen2 ──► loss on answers (and, lightly, on prompts) ──► AdamW
                                            │                                                       │
  held-back goals ──► greedy answers ◄── moving average of the weights ◄────────────────────────────┘

T tokens of a sequence, B sequences of a batch, D hidden.
"""

# ruff: noqa: N803, N806 - tensors carry their dimensions in their names

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM

from reward_llm.tuning.config import Score, Shape, TrainingConfig, TrainingProgress, TrainingReport
from reward_llm.tuning.corpus import LabelledGoal, corpus_line
from reward_llm.tuning.examples import Batch, Rounds, held_back, user_message
from reward_llm.tuning.export import export
from reward_llm.tuning.grammar import Grammar
from reward_llm.tuning.optimizer import adamw, learning_rate
from reward_llm.tuning.precision import fast_products
from reward_llm.tuning.run import Position, run_folder
from reward_llm.tuning.score import score
from reward_llm.tuning.vocabulary import MAX_POSITIONS, prompt, train_tokenizer
from reward_llm.validation.checkpoints import verify_checkpoint

HELD_BACK: Final = "held_back.jsonl"


def train(
    config: TrainingConfig,
    corpus: Sequence[LabelledGoal],
    out_dir: Path,
    on_progress: Callable[[TrainingProgress], None],
    start: Path | None = None,
) -> TrainingReport:
    """Train a model and write it to `out_dir`; a run that was broken off goes on from its folder under `runs/`.

    The goals that were held back are left in `held_back.jsonl` beside it, for a calibration.

    Args:
        config: How.
        corpus: The goals, those that are held back among them.
        out_dir: Where the checkpoint goes.
        on_progress: Told after every step.
        start: A goal model's checkpoint, whose weights and tokenizer it begins with; None begins from scratch.

    Raises:
        CheckpointInvalid: If the checkpoint to begin with is missing, incomplete or damaged.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    trained = [g for g in corpus if not held_back(g, config.hold_back)]
    held = [g for g in corpus if held_back(g, config.hold_back)]
    folder = training_folder(config, corpus, out_dir, start)
    tokenizer = _given_tokenizer(start) if start else _tokenizer(config, trained, folder / "tokenizer")
    model = _given_model(start) if start else build_model(config.shape, tokenizer)
    run = _Run(config, model, Rounds(trained, tokenizer, config.mix), held, tokenizer, folder)
    run.go(on_progress)
    report = run.report(Counter(g.source for g in trained))
    if start:
        report = replace(report, started_from=verify_checkpoint(start))
    export(run.average, tokenizer, report, out_dir)
    (out_dir / HELD_BACK).write_text("".join(f"{corpus_line(g)}\n" for g in held), "utf-8")
    return report


def training_folder(
    config: TrainingConfig, corpus: Sequence[LabelledGoal], out_dir: Path, start: Path | None = None
) -> Path:
    """Where such a run keeps its state.

    Raises:
        CheckpointInvalid: If the checkpoint to begin with is missing, incomplete or damaged.
    """
    return run_folder(out_dir, (config, verify_checkpoint(start)) if start else config, corpus)


def build_model(shape: Shape, tokenizer: PreTrainedTokenizerBase) -> Qwen2ForCausalLM:
    """An untrained model for the tokenizer."""
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.feed_forward,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            initializer_range=shape.initial_std,
            max_position_embeddings=MAX_POSITIONS,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _given_model(folder: Path) -> Qwen2ForCausalLM:
    model: Qwen2ForCausalLM = Qwen2ForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return model


def _tokenizer(config: TrainingConfig, goals: Sequence[LabelledGoal], folder: Path) -> PreTrainedTokenizerBase:
    """The run's tokenizer: learnt from the goals and as much again from the grammar, once."""
    if not (folder / "tokenizer.json").is_file():
        grammar = Grammar(random.Random(config.seed))
        made = [g.goal for _ in range(len(goals) // 2) for g in (grammar.goal(), grammar.nothing())]
        texts = [prompt(user_message(text)) for text in [*(g.goal for g in goals), *made]]
        train_tokenizer(texts, config.shape.vocabulary).save_pretrained(folder)
    return _given_tokenizer(folder)


def _given_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer


class _Run:
    """The state of a run and its loop."""

    def __init__(
        self,
        config: TrainingConfig,
        model: Qwen2ForCausalLM,
        rounds: Rounds,
        held: Sequence[LabelledGoal],
        tokenizer: PreTrainedTokenizerBase,
        folder: Path,
    ) -> None:
        self._config, self._rounds, self._held = config, rounds, held
        self._tokenizer, self._folder = tokenizer, folder
        self._model = model
        self._model.set_attn_implementation("eager")  # the fused kernel's backward pass is far slower in bfloat16
        _add_dropout(self._model, config.dropout)
        moving_average = get_ema_multi_avg_fn(config.average)  # type: ignore[no-untyped-call]
        self._averaged = AveragedModel(self._model, multi_avg_fn=moving_average)
        if config.compiled:
            self._model.model.compile(dynamic=True)
        self._optimizer = adamw(self._model, config.learning_rate, config.weight_decay)
        self._score: Score | None = None
        self._at = Position.load(folder, self._parts) or Position()

    @property
    def average(self) -> Qwen2ForCausalLM:
        """The moving average of the weights, ready to answer."""
        model: Qwen2ForCausalLM = self._averaged.module.eval()
        return model

    @property
    def _parts(self) -> dict[str, Any]:
        return {"model": self._model, "average": self._averaged, "optimizer": self._optimizer}

    def go(self, on_progress: Callable[[TrainingProgress], None]) -> None:
        """Train to the end."""
        self._model.train()
        clock = time.monotonic() - self._at.elapsed_s
        rounds = self._rounds.ahead(self._at.round)
        while self._share() < 1:
            for batch in next(rounds)[self._at.batch :]:
                rate = self._step(batch)
                self._at.batch += 1
                self._at.elapsed_s = time.monotonic() - clock
                self._checkpoint_if_due()
                on_progress(self._progress(rate))
                self._score = None
                if self._share() >= 1:
                    break
            else:
                self._at.round, self._at.batch = self._at.round + 1, 0
        rounds.close()
        self._at.save(self._folder, self._parts)

    def report(self, sources: Mapping[str, int]) -> TrainingReport:
        """What the run gave."""
        return TrainingReport(
            config=self._config,
            steps=self._at.step,
            elapsed_s=self._at.elapsed_s,
            parameters=sum(p.numel() for p in self._model.parameters()),
            goals=dict(sources),
            loss=self._at.loss,
            score=self._scored(),
        )

    def _share(self) -> float:
        done = max(self._at.step / self._config.steps, self._at.elapsed_s / (60 * self._config.minutes))
        return min(1.0, done)

    def _step(self, batch: Batch) -> float:
        """One step of AdamW; gives the learning rate it took."""
        rate = learning_rate(self._config.learning_rate, self._config.warmup_steps, self._at.step, self._share())
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with fast_products():
            answer_loss, prompt_loss = _losses(self._model, batch, self._config.prompt_share)
        torch.autograd.backward(answer_loss + self._config.prompt_weight * prompt_loss)
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._averaged.update_parameters(self._model)
        self._at.step += 1
        self._at.loss += (answer_loss.item() - self._at.loss) * max(0.02, 1 / self._at.step)
        return rate

    def _checkpoint_if_due(self) -> None:
        if self._at.step % self._config.score_every:
            return
        self._score = self._scored()
        self._at.save(self._folder, self._parts)

    def _scored(self) -> Score | None:
        hinted = self._config.mix.without_hints < 1
        return score(self.average, self._tokenizer, self._held, hinted=hinted) if self._held else None

    def _progress(self, rate: float) -> TrainingProgress:
        return TrainingProgress(
            step=self._at.step,
            share=self._share(),
            loss=self._at.loss,
            learning_rate=rate,
            elapsed_s=self._at.elapsed_s,
            score=self._score,
        )


def _losses(model: Qwen2ForCausalLM, batch: Batch, prompt_share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss on the answers' tokens, and on a sample of the prompts' tokens.

    Padding is on the right, so a causal model needs no mask.
    """
    hidden_BTD = model.model(input_ids=batch.token_BT[:, :-1], use_cache=False).last_hidden_state
    target_BT, answer_BT = batch.token_BT[:, 1:], batch.answer_BT[:, 1:]
    prompt_BT = batch.real_BT[:, 1:] & ~answer_BT & (torch.rand(target_BT.shape) < prompt_share)
    losses = [
        cross_entropy(model.lm_head(hidden_BTD[chosen_BT]), target_BT[chosen_BT], reduction="sum")
        / chosen_BT.sum().clamp(min=1)
        for chosen_BT in (answer_BT, prompt_BT)
    ]
    return losses[0], losses[1]


def _add_dropout(model: Qwen2ForCausalLM, share: float) -> None:
    """Dropout on the embeddings and on what each block adds, asleep outside training.

    All tokens of a sequence share a mask (Gal & Ghahramani 2016), which also spares most of the random numbers.
    """

    def drop(module: nn.Module, _: Any, output: Any) -> Any:
        if not module.training:
            return output
        if isinstance(output, tuple):
            return (_dropped(output[0], share), *output[1:])
        return _dropped(output, share)

    for layer in model.model.layers:
        layer.self_attn.register_forward_hook(drop)
        layer.mlp.register_forward_hook(drop)
    model.model.embed_tokens.register_forward_hook(drop)


def _dropped(hidden_BTD: torch.Tensor, share: float) -> torch.Tensor:
    kept_B1D = hidden_BTD.new_empty(hidden_BTD.shape[0], 1, hidden_BTD.shape[2]).bernoulli_(1 - share)
    return hidden_BTD * kept_B1D.div_(1 - share)
