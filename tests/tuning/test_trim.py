from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2ForCausalLM

from reward_llm import bootstrap
from reward_llm.domain.completion import Vocabulary
from reward_llm.errors import InvalidInput
from reward_llm.generation.clients.embedded import EmbeddedConfig, EmbeddedModel
from reward_llm.resources import checkpoint_dir
from reward_llm.tuning.lessons import ChatEncoder
from reward_llm.tuning.trim import evenly_spaced, trim
from reward_llm.validation.checkpoints import was_trained_here
from tests.tuning.bases import write_base
from tests.tuning.trade import KEPT_BACK, goals

TEXTS = [text for text, _, _ in goals(KEPT_BACK)]


def tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])


def load(folder: Path) -> tuple[Qwen2ForCausalLM, PreTrainedTokenizerBase]:
    return Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32), AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module", params=["trained here", "tied", "untied"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "trained here":
        return checkpoint_dir()
    return write_base(tmp_path_factory.mktemp("base"), tied=request.param == "tied")


def test_a_smaller_vocabulary_changes_neither_tokens_nor_logits(base: Path, tmp_path: Path) -> None:
    vocabulary = Vocabulary.CONCEPTS if was_trained_here(base) else Vocabulary.UTILITIES
    render = bootstrap.build_renderer(bootstrap.load_settings(), vocabulary)
    whole, tokenizer = load(base)
    chats = [ChatEncoder(tokenizer, render).chat(text) for text in TEXTS]
    trimmed = trim(base, tmp_path, texts=chats, share=0.0)
    small, fewer = load(tmp_path)
    assert small.config.vocab_size == len(fewer) == trimmed.tokens < len(tokenizer)
    old_of_new = tokenizer.convert_tokens_to_ids(fewer.convert_ids_to_tokens(range(len(fewer))))
    for chat in chats:
        assert tokens(fewer, chat) == tokens(tokenizer, chat)
    for chat in chats[::6]:
        with torch.inference_mode():
            full = whole(torch.tensor([tokenizer(chat)["input_ids"]])).logits[..., old_of_new]
            cut = small(torch.tensor([fewer(chat)["input_ids"]])).logits
        torch.testing.assert_close(cut, full, atol=1e-5, rtol=1e-5)
    assert small.config.eos_token_id == fewer.eos_token_id
    assert fewer.eos_token == tokenizer.eos_token
    assert was_trained_here(tmp_path) == was_trained_here(base)


def test_any_text_can_still_be_written(base: Path, tmp_path: Path) -> None:
    trim(base, tmp_path, share=0.0)
    fewer = AutoTokenizer.from_pretrained(tmp_path)
    text = "ĀĂ 提升 glim rate 🙏 \x07"
    assert fewer.decode(fewer(text, add_special_tokens=False)["input_ids"]) == text


def test_a_share_of_the_vocabulary_stays(base: Path, tmp_path: Path) -> None:
    whole = len(AutoTokenizer.from_pretrained(base))
    trimmed = trim(base, tmp_path, share=0.6)
    assert 0.6 * whole - 1 <= trimmed.tokens <= 0.6 * whole + 4


def test_dropped_layers_leave_a_model_that_loads(base: Path, tmp_path: Path) -> None:
    trimmed = trim(base, tmp_path, layers=2)
    whole, _ = load(base)
    small, _ = load(tmp_path)
    last = whole.config.num_hidden_layers - 1
    assert trimmed.layers == (0, last)
    assert small.config.num_hidden_layers == len(small.config.layer_types) == 2
    for name, tensor in small.model.layers[1].state_dict().items():
        assert torch.equal(tensor, whole.model.layers[last].state_dict()[name])
    EmbeddedModel(EmbeddedConfig(checkpoint=tmp_path, threads=1))


@pytest.mark.parametrize(
    ("count", "of", "kept"), [(1, 1, (0,)), (2, 24, (0, 23)), (3, 5, (0, 2, 4)), (5, 5, (0, 1, 2, 3, 4))]
)
def test_layers_are_spaced_evenly_from_the_first_to_the_last(count: int, of: int, kept: tuple[int, ...]) -> None:
    assert evenly_spaced(count, of) == kept


@pytest.mark.parametrize(("count", "of"), [(1, 6), (7, 6), (0, 1)])
def test_other_numbers_of_layers_are_refused(count: int, of: int) -> None:
    with pytest.raises(InvalidInput, match="can't be kept"):
        evenly_spaced(count, of)


def test_a_model_is_not_trimmed_onto_itself(base: Path) -> None:
    with pytest.raises(InvalidInput, match="is the base itself"):
        trim(base, base, layers=2)
