"""Tuning of a Qwen2 that is there already, on one's own goals.

base ─► goals kept back are read ─► [ chats ─► loss on answers ─► AdamW, on all or on adapters ] ─► merged, halved
                                                                                                       │
report with both scores ◄── goals kept back are read again ◄── checkpoint ◄────────────────────────────┘

T tokens of a sequence, B sequences of a batch.
"""

# ruff: noqa: N806 - tensors carry their dimensions in their names

from __future__ import annotations

import itertools
import json
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.domain.completion import Vocabulary
from reward_llm.errors import InvalidInput
from reward_llm.tuning.config import Score, TrainingProgress
from reward_llm.tuning.corpus import CorpusInvalid
from reward_llm.tuning.examples import Batch
from reward_llm.tuning.export import write_json, write_papers, write_weights
from reward_llm.tuning.labelling import OpenReader, score_readings
from reward_llm.tuning.lessons import ChatEncoder, Lessons, Renderer, Syllabus
from reward_llm.tuning.memory import UNFUSED_TOKENS, ModelSize, check_memory
from reward_llm.tuning.optimizer import adamw, learning_rate
from reward_llm.tuning.precision import fast_products, multiplies_bfloat16, product_bytes
from reward_llm.tuning.run import Position, run_folder
from reward_llm.tuning.tuned_card import tuned_card
from reward_llm.tuning.tuning_config import TuningConfig, TuningReport
from reward_llm.validation.checkpoints import SHARD_INDEX, check_shape, verify_checkpoint, was_trained_here

MATRICES: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The layers' matrices that adapters are put on."""
TOKENIZER_FILES: Final = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run is given: how goals are asked about and read in the service, and the memory that there is."""

    render: Renderer
    open_reader: OpenReader
    available_memory: Callable[[], int]


def tune(
    base: Path,
    config: TuningConfig,
    lessons: Lessons,
    out_dir: Path,
    around: Surroundings,
    on_progress: Callable[[TrainingProgress], None],
) -> TuningReport:
    """Tune a base and write the model to `out_dir`; a run that was broken off goes on from its folder there.

    Raises:
        CheckpointInvalid: If the base can't be used.
        MemoryInsufficient: If the run wouldn't fit into memory.
        InvalidInput: If there is nothing to train on, or the model would be written over its base.
    """
    digest = verify_checkpoint(base)
    check_shape(base)
    _check(base, lessons, out_dir)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base, local_files_only=True)
    encoder = ChatEncoder(tokenizer, around.render)
    longest = _longest(encoder, lessons, config)
    check_memory(ModelSize.of(base), config, longest, around.available_memory(), product_bytes())
    folder = tuning_folder(out_dir, base, config, lessons)
    before = _kept(folder / "before.json", lambda: _score(base, lessons, around.open_reader))
    run = _Run(base, config, Syllabus(lessons, encoder, tokenizer.pad_token_id, config), folder, longest)
    run.go(on_progress)
    facts = {
        "config": config,
        "base": f"{base.resolve().name}@{digest[:12]}",
        "method": config.method,
        "vocabulary": Vocabulary.CONCEPTS if was_trained_here(base) else Vocabulary.UTILITIES,
        "goals": dict(Counter(g.source for g in (*lessons.own, *lessons.corpus))),
        "before": before,
        **run.facts,
    }
    _write(run.merged(), base, out_dir)
    del run
    after = _score(out_dir, lessons, around.open_reader)
    report = TuningReport(**facts, after=after)
    write_papers(out_dir, asdict(report), tuned_card(report))
    return report


def tuning_folder(out_dir: Path, base: Path, config: TuningConfig, lessons: Lessons) -> Path:
    """The folder of the run with that config, from that base over those goals."""
    return run_folder(out_dir, (config, verify_checkpoint(base), len(lessons.kept_back)), lessons.all)


def _check(base: Path, lessons: Lessons, out_dir: Path) -> None:
    if out_dir.resolve() == base.resolve():
        raise InvalidInput(f"{out_dir} is the base itself", hint="Give another folder with --out.")
    if (out_dir / SHARD_INDEX).exists():
        raise InvalidInput(f"{out_dir} holds a model in several files", hint="Give another folder with --out.")
    if not lessons.own and not lessons.corpus:
        raise InvalidInput(
            "there is no goal to train on", hint="Give --goals, keep back fewer of them, or leave --corpus none out."
        )


def _longest(encoder: ChatEncoder, lessons: Lessons, config: TuningConfig) -> int:
    """Tokens of the longest example that is trained on, which is among those with the longest texts.

    Raises:
        CorpusInvalid: If even the shortest is over the limit.
    """
    by_length = sorted((*lessons.own, *lessons.corpus), key=lambda g: len(g.goal))
    shortest = len(encoder.example(by_length[0]))
    if shortest > config.max_tokens:
        raise CorpusInvalid(
            f"with its prompt even the shortest goal has {shortest:,} tokens; at most {config.max_tokens:,} are read",
            hint="Raise --max-tokens.",
        )
    return min(config.max_tokens, max(len(encoder.example(g)) for g in by_length[-8:]))


def _score(folder: Path, lessons: Lessons, open_reader: OpenReader) -> Score | None:
    if not lessons.kept_back:
        return None
    with open_reader(folder) as read:
        return score_readings(lessons.kept_back, read([g.goal for g in lessons.kept_back]))


def _kept(file: Path, score: Callable[[], Score | None]) -> Score | None:
    """The score in the file, which is made where it isn't there."""
    if file.is_file():
        document = json.loads(file.read_text("utf-8"))
        return Score(**document) if document else None
    scored = score()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, asdict(scored) if scored else None)
    return scored


def _write(model: Qwen2ForCausalLM, base: Path, out_dir: Path) -> None:
    """Write the weights, with the base's tokenizer as it is."""
    out_dir.mkdir(parents=True, exist_ok=True)
    write_weights(model, out_dir)
    for name in TOKENIZER_FILES:
        (out_dir / name).unlink(missing_ok=True)
        if (base / name).is_file():
            shutil.copyfile(base / name, out_dir / name)
    (out_dir / "SHA256SUMS").unlink(missing_ok=True)


class _Trained:
    """The parameters that are trained, as a part of a run's saved state."""

    def __init__(self, model: nn.Module) -> None:
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {name: p.detach() for name, p in self.parameters.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(state[name])


class _Run:
    """The state of a run and its loop."""

    def __init__(self, base: Path, config: TuningConfig, syllabus: Syllabus, folder: Path, longest: int) -> None:
        self._config, self._syllabus, self._folder = config, syllabus, folder
        self._model, self._adapted, self._halved = _load(base, config)
        self._model.set_attn_implementation("eager" if longest <= UNFUSED_TOKENS else "sdpa")
        self._trained = _Trained(self._adapted or self._model)
        self._optimizer = adamw(self._adapted or self._model, config.learning_rate, config.weight_decay)
        self._at = Position.load(folder, self._parts) or Position()

    @property
    def _parts(self) -> dict[str, Any]:
        return {"trained": self._trained, "optimizer": self._optimizer}

    @property
    def facts(self) -> dict[str, Any]:
        """What a report says of the run."""
        trained = sum(p.numel() for p in self._trained.parameters.values())
        adapters = trained if self._adapted else 0
        return {
            "steps": self._at.step,
            "elapsed_s": self._at.elapsed_s,
            "parameters": sum(p.numel() for p in self._model.parameters()) - adapters,
            "trained_parameters": trained,
            "loss": self._at.loss,
        }

    def go(self, on_progress: Callable[[TrainingProgress], None]) -> None:
        """Train to the end."""
        self._model.train()
        clock = time.monotonic() - self._at.elapsed_s
        saved = time.monotonic()
        while self._share() < 1:
            for step in itertools.islice(self._syllabus.steps(self._at.round), self._at.batch, None):
                rate = self._step(step)
                self._at.batch += 1
                self._at.elapsed_s = time.monotonic() - clock
                if time.monotonic() - saved >= self._config.save_every_s:
                    self._at.save(self._folder, self._parts)
                    saved = time.monotonic()
                on_progress(self._progress(rate))
                if self._share() >= 1:
                    break
            else:
                self._at.round, self._at.batch = self._at.round + 1, 0
        self._at.save(self._folder, self._parts)

    def merged(self) -> Qwen2ForCausalLM:
        """The model with its adapters merged, in half precision."""
        model = self._adapted.merge_and_unload() if self._adapted else self._model
        halved: Qwen2ForCausalLM = model.eval().to(self._halved)
        return halved

    def _share(self) -> float:
        done = max(self._at.step / self._config.steps, self._at.elapsed_s / (60 * self._config.minutes))
        return min(1.0, done)

    def _step(self, batches: Sequence[Batch]) -> float:
        """One step of AdamW over the batches together; gives the learning rate it took."""
        config = self._config
        rate = learning_rate(config.learning_rate, config.warmup_steps, self._at.step, self._share())
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        tokens, total = sum(int(b.answer_BT.sum()) for b in batches), 0.0
        for batch in batches:
            with fast_products():
                loss = _answer_loss(self._model, batch) / tokens
            torch.autograd.backward(loss)
            total += loss.item()
        nn.utils.clip_grad_norm_(self._trained.parameters.values(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._at.step += 1
        self._at.loss += (total - self._at.loss) * max(0.02, 1 / self._at.step)
        return rate

    def _progress(self, rate: float) -> TrainingProgress:
        return TrainingProgress(
            step=self._at.step,
            share=self._share(),
            loss=self._at.loss,
            learning_rate=rate,
            elapsed_s=self._at.elapsed_s,
        )


def _load(base: Path, config: TuningConfig) -> tuple[Qwen2ForCausalLM, PeftModel | None, torch.dtype]:
    """The model, its adapters if there are to be any, and the precision to write it in.

    Beneath adapters the weights rest in the precision of products; weights that are trained are in float32.
    """
    logging.disable_progress_bar()
    rests_in_half = config.lora_rank is not None and multiplies_bfloat16()
    dtype = torch.bfloat16 if rests_in_half else torch.float32
    model = Qwen2ForCausalLM.from_pretrained(base, local_files_only=True, dtype=dtype)
    stated = json.loads((base / "config.json").read_text("utf-8"))
    in_bfloat16 = "bfloat16" in (stated.get("dtype"), stated.get("torch_dtype"))
    halved = torch.bfloat16 if in_bfloat16 else torch.float16
    if config.lora_rank is None:
        return model, None, halved
    adapters = LoraConfig(r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=list(MATRICES))
    with warnings.catch_warnings():
        # peft asks transformers for a property by a name that is going away
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        return model, get_peft_model(model, adapters), halved


def _answer_loss(model: Qwen2ForCausalLM, batch: Batch) -> torch.Tensor:
    """The loss on the answers' tokens, added up.

    Padding is on the right, so a causal model needs no mask.
    """
    hidden_BTD = model.model(input_ids=batch.token_BT[:, :-1], use_cache=False).last_hidden_state
    target_BT, answer_BT = batch.token_BT[:, 1:], batch.answer_BT[:, 1:]
    return cross_entropy(model.lm_head(hidden_BTD[answer_BT]), target_BT[answer_BT], reduction="sum")
