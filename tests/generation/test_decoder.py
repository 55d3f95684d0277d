from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2Config, Qwen2ForCausalLM

from reward_llm.errors import CheckpointInvalid
from reward_llm.generation.clients.decoder import Decoder

VOCABULARY = 97


def network(**changes):
    torch.manual_seed(0)
    shape = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "initializer_range": 0.5,
    }
    return Qwen2ForCausalLM(Qwen2Config(**(shape | changes))).eval()


def logits_of(model, tokens):
    return model(input_ids=torch.tensor([tokens])).logits[0]


@settings(max_examples=40, deadline=None)
@given(
    tokens=st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 39), max_size=6),
    kv_heads=st.sampled_from([1, 2, 4]),
    tied=st.booleans(),
)
@torch.inference_mode()
def test_tokens_in_pieces_have_the_logits_that_transformers_gives_them_whole(tokens, cuts, kv_heads, tied):
    model = network(num_key_value_heads=kv_heads, tie_word_embeddings=tied)
    expected = logits_of(model, tokens)
    sequence = Decoder(model).sequence(len(tokens))
    bounds = sorted({0, len(tokens), *(c for c in cuts if c < len(tokens))})
    for start, end in itertools.pairwise(bounds):
        assert torch.allclose(sequence.extend(tokens[start:end]), expected[end - 1], atol=1e-4)


@torch.inference_mode()
def test_a_sequence_that_is_cut_goes_on_as_if_nothing_had_followed():
    model = network()
    sequence = Decoder(model).sequence(20)
    sequence.extend([1, 2, 3, 4, 5])
    sequence.extend([6, 7])
    sequence.cut(4)
    expected = logits_of(model, [1, 2, 3, 4, 9, 10])
    assert torch.allclose(sequence.along([9, 10]), expected[4:], atol=1e-4)


@torch.inference_mode()
def test_the_model_itself_works_on_with_the_weights_that_are_shared():
    model = network()
    before = logits_of(model, [3, 1, 4, 1, 5])
    Decoder(model)
    assert torch.equal(logits_of(model, [3, 1, 4, 1, 5]), before)


def test_a_model_with_a_sliding_window_is_refused():
    windowed = network(use_sliding_window=True, sliding_window=8, max_window_layers=0)
    with pytest.raises(CheckpointInvalid, match="whole prompt"):
        Decoder(windowed)
