"""Small Qwen2 checkpoints that were never trained here, and what a run is given."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from reward_llm import bootstrap
from reward_llm.domain.completion import Vocabulary
from reward_llm.tuning.finetune import Surroundings
from reward_llm.tuning.vocabulary import train_tokenizer
from tests.tuning.trade import TAUGHT, goals

CHATML = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
PLENTY = 10**12


def surroundings(vocabulary: Vocabulary, memory: int = PLENTY) -> Surroundings:
    return Surroundings(
        render=bootstrap.build_renderer(bootstrap.load_settings(), vocabulary),
        open_reader=bootstrap.open_reader,
        available_memory=lambda: memory,
    )


def write_base(folder: Path, *, tied: bool = True, layers: int = 3, dtype: torch.dtype = torch.bfloat16) -> Path:
    """A Qwen2 as one downloads it: a chat template of its own, bfloat16, rows beyond its tokens, no report."""
    render = bootstrap.build_renderer(bootstrap.load_settings(), Vocabulary.UTILITIES)
    texts = [m.content for text, _, _ in list(goals(TAUGHT))[::9] for m in render(text)]
    tokenizer = train_tokenizer(texts, 1024)
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=1088,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).to(dtype).save_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    settings["tokenizer_class"] = "Qwen2Tokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return folder
