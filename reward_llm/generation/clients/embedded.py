"""A small Qwen2 inside the process, its answers held to the schema by llguidance.

prompt ─► prefill ─► the model's own answer ───────────┐
└─────► the suggested one, read along ────┴─► the likelier, or nearly so
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import llguidance.hf
import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoTokenizer, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.domain.completion import (
    Completion,
    CompletionRequest,
    Message,
    Vocabulary,
)
from reward_llm.domain.policy import Source
from reward_llm.errors import CheckpointInvalid, ModelError
from reward_llm.generation.clients.constrained import Tokens, followed, written
from reward_llm.generation.clients.decoder import Decoder
from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import load_own_calibration
from reward_llm.validation.checkpoints import RETRAIN_HINT, check_shape, verify_checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedConfig:
    """Which checkpoint to load, and how it runs."""

    checkpoint: Path | None = None
    """A folder in the Hugging Face layout; None takes the one that ships."""
    vocabulary: Vocabulary = Vocabulary.CONCEPTS
    threads: int = 2
    """Threads of a forward pass."""
    calibrated: bool = True
    """Whether the checkpoint's own calibration is taken; it isn't while one is fitted."""


class EmbeddedModel:
    """Qwen2 through transformers on the CPU, one answer at a time.

    Raises:
        CheckpointInvalid: If the folder is missing, incomplete, or damaged.
    """

    source = Source.EMBEDDED

    def __init__(self, config: EmbeddedConfig) -> None:
        folder = config.checkpoint or checkpoint_dir()
        digest = verify_checkpoint(folder)
        check_shape(folder)
        torch.set_num_threads(config.threads)
        self.vocabulary = config.vocabulary
        self.calibration = load_own_calibration(folder, digest) if config.calibrated else None
        self.name = f"{folder.name}@{digest[:12]}"
        self._digest = digest
        logging.disable_progress_bar()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = Qwen2ForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
            schemas = llguidance.hf.from_tokenizer(self._tokenizer, n_vocab=self._model.config.vocab_size)
            self._parts = Tokens(self._tokenizer, schemas)
            self._decoder = Decoder(self._model)
            self._warm_up()
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, TemplateError) as exc:
            raise CheckpointInvalid(f"the checkpoint in {folder} can't be loaded: {exc}", hint=RETRAIN_HINT) from exc
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-model")

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the chat; see `LanguageModel.complete`."""
        deadline = time.monotonic() + request.deadline_s
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._complete, request, deadline)
        except (RuntimeError, MemoryError) as exc:
            raise ModelError(f"the embedded model failed: {exc}") from exc

    async def ping(self) -> str:
        """Ready once it is built."""
        return self.name

    async def aclose(self) -> None:
        """Let the thread go."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    @torch.inference_mode()
    def _complete(self, request: CompletionRequest, deadline: float) -> Completion:
        prompt = self._encode(request)
        sequence = self._decoder.sequence(len(prompt) + request.max_tokens)
        answer = written(prompt, sequence, self._parts, request, deadline)
        suggestion, suggested = request.suggestion, False
        if suggestion and suggestion.text != answer.text and not request.temperature:
            other = followed(suggestion.text, prompt, sequence, self._parts, request.schema)
            if other and other.log_probability + suggestion.trust > answer.log_probability:
                answer, suggested = other, True
        return Completion(
            text=answer.text,
            model=self.name,
            choices=tuple(answer.choices),
            checkpoint_hash=self._digest,
            suggested=suggested,
        )

    @torch.inference_mode()
    def _warm_up(self) -> None:
        """Read a word: a checkpoint whose parts don't fit together fails here, not on the first goal."""
        prompt = self._tokens((Message("user", "x"),))
        self._decoder.sequence(len(prompt)).extend(prompt)

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        chat = [{"role": m.role, "content": m.content} for m in messages]
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _encode(self, request: CompletionRequest) -> list[int]:
        tokens = self._tokens(request.messages)
        room = self._model.config.max_position_embeddings - request.max_tokens
        if len(tokens) > room:
            raise ModelError(f"the prompt has {len(tokens)} tokens; the embedded model reads at most {room}")
        return tokens
