"""A trained model as a checkpoint that transformers and vLLM load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.tuning.config import TrainingReport
from reward_llm.tuning.model_card import model_card
from reward_llm.tuning.vocabulary import ANSWER, END, GOAL, MAX_POSITIONS
from reward_llm.validation.calibrations import CALIBRATION
from reward_llm.validation.checkpoints import TRAINING_REPORT, write_checksums


def export(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, report: TrainingReport, folder: Path) -> None:
    """Write weights (safetensors, float16), tokenizer, configs, the report and the model card."""
    folder.mkdir(parents=True, exist_ok=True)
    halved = deepcopy(model).to(torch.float16)
    halved.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    write_weights(halved, folder)
    _write_tokenizer(tokenizer, folder)
    write_papers(folder, asdict(report), model_card(report))


def write_weights(model: Qwen2ForCausalLM, folder: Path) -> None:
    """Write weights, in the model's own precision, and configs."""
    logging.disable_progress_bar()
    model.save_pretrained(folder)


def write_papers(folder: Path, report: Mapping[str, object] | None, card: str) -> None:
    """Write the report, if there is one, the model card and the checksums, and let everybody read all of it.

    A calibration that lies there was fitted to other weights, and goes.
    """
    (folder / CALIBRATION).unlink(missing_ok=True)
    if report is not None:
        write_json(folder / TRAINING_REPORT, report)
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_checksums(folder)
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(0o644)


def _write_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the tokenizer, its config in words that transformers 4 and 5 both read."""
    tokenizer.save_pretrained(folder)
    config = {
        "tokenizer_class": "Qwen2Tokenizer",
        "eos_token": END,
        "pad_token": END,
        "additional_special_tokens": [GOAL, ANSWER],
        "model_max_length": MAX_POSITIONS,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", config)


def write_json(file: Path, document: object) -> None:
    """Write a document as people read it."""
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
