"""A trained model as a checkpoint that transformers and vLLM load."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.tuning.config import TrainingReport
from reward_llm.tuning.model_card import model_card
from reward_llm.tuning.vocabulary import ANSWER, END, GOAL, MAX_POSITIONS
from reward_llm.validation.checkpoints import write_checksums


def export(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, report: TrainingReport, folder: Path) -> None:
    """Write weights (safetensors, float16), tokenizer, configs, the report and the model card."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_model(model, tokenizer, folder)
    _write_tokenizer(tokenizer, folder)
    _write_json(folder / "training.json", asdict(report))
    (folder / "README.md").write_text(model_card(report), encoding="utf-8")
    write_checksums(folder)
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(0o644)


def _write_model(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    halved = deepcopy(model).to(torch.float16)
    halved.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    logging.disable_progress_bar()
    halved.save_pretrained(folder)


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
    _write_json(folder / "tokenizer_config.json", config)


def _write_json(file: Path, document: object) -> None:
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
