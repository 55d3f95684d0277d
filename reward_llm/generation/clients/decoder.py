"""Qwen2's forward pass for one sequence, with nothing but its arithmetic.

A small model spends most of a step on what surrounds its matrix products. This one reads the weights of a
`Qwen2ForCausalLM`, keeps keys and values in one block of memory, and gives the logits that are wanted
alone.

T new tokens, S tokens so far, D hidden, H query heads, G query heads a key, K key and value heads, C channels a head,
V vocabulary.
"""

# ruff: noqa: N803, N806, N815 - tensors carry their dimensions in their names

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import embedding, linear, rms_norm, scaled_dot_product_attention, silu
from transformers import Qwen2ForCausalLM

from reward_llm.errors import CheckpointInvalid


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of a block; query, key and value in one matrix, gate and up in another."""

    before_D: torch.Tensor
    qkv: torch.Tensor
    qkv_bias: torch.Tensor
    out: torch.Tensor
    between_D: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


class Decoder:
    """The forward pass of a model, whose weights it shares.

    Raises:
        CheckpointInvalid: If the model attends by a sliding window, or scales its rotary positions.
    """

    def __init__(self, model: Qwen2ForCausalLM) -> None:
        config = model.config
        if set(config.layer_types) != {"full_attention"} or config.rope_parameters["rope_type"] != "default":
            raise CheckpointInvalid("the embedded model attends to the whole prompt, at plain rotary positions")
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._channels = model.model.layers[0].self_attn.head_dim
        self._eps = config.rms_norm_eps
        self._embed, self._norm_D, self._lm_head = (
            model.model.embed_tokens.weight,
            model.model.norm.weight,
            model.lm_head.weight,
        )
        self._layers = [_layer(block) for block in model.model.layers]
        self._cos_SC, self._sin_SC = _rotary(
            config.rope_parameters["rope_theta"], self._channels, config.max_position_embeddings
        )

    def sequence(self, length: int) -> DecodedSequence:
        """A new sequence of at most so many tokens."""
        cache = torch.empty(len(self._layers), 2, self._kv_heads, length, self._channels)
        return DecodedSequence(self, cache)

    def step(self, tokens: Sequence[int], cache: torch.Tensor, start: int) -> torch.Tensor:
        """What the model makes of each of the tokens, TD, for `logits`.

        Args:
            tokens: What comes next; at least one.
            cache: Keys and values of what came before, to which those of the tokens are added.
            start: How many tokens came before.
        """
        end = start + len(tokens)
        cos_TC, sin_TC = self._cos_SC[start:end], self._sin_SC[start:end]
        hidden_TD = embedding(torch.tensor(tokens), self._embed)
        for number, layer in enumerate(self._layers):
            normed_TD = rms_norm(hidden_TD, layer.before_D.shape, layer.before_D, self._eps)
            mixed_TD = self._attended(layer, normed_TD, cos_TC, sin_TC, cache[number], start)
            hidden_TD = hidden_TD + linear(mixed_TD, layer.out)
            normed_TD = rms_norm(hidden_TD, layer.between_D.shape, layer.between_D, self._eps)
            gate, up = linear(normed_TD, layer.gate_up).chunk(2, dim=-1)
            hidden_TD = hidden_TD + linear(silu(gate) * up, layer.down)
        return hidden_TD

    def logits(self, hidden_TD: torch.Tensor) -> torch.Tensor:
        """The logits after tokens, TV."""
        return linear(rms_norm(hidden_TD, self._norm_D.shape, self._norm_D, self._eps), self._lm_head)

    def _attended(
        self,
        layer: _Layer,
        normed_TD: torch.Tensor,
        cos_TC: torch.Tensor,
        sin_TC: torch.Tensor,
        cache: torch.Tensor,
        start: int,
    ) -> torch.Tensor:
        H, K, C = self._heads, self._kv_heads, self._channels
        T = normed_TD.shape[0]
        end = start + T
        qkv_HTC = linear(normed_TD, layer.qkv, layer.qkv_bias).view(T, H + 2 * K, C).transpose(0, 1)
        turned_HTC = _turned(qkv_HTC[: H + K], cos_TC, sin_TC)
        cache[0, :, start:end], cache[1, :, start:end] = turned_HTC[H:], qkv_HTC[H + K :]
        mask_TS = None
        if start and T > 1:
            mask_TS = torch.ones(T, end, dtype=torch.bool).tril(start)
        mixed_HTC = scaled_dot_product_attention(
            turned_HTC[None, :H],
            cache[None, 0, :, :end],
            cache[None, 1, :, :end],
            attn_mask=mask_TS,
            is_causal=not start,
            enable_gqa=H != K,
        )[0]
        return mixed_HTC.transpose(0, 1).reshape(T, H * C)


class DecodedSequence:
    """A sequence and what was computed of it."""

    def __init__(self, decoder: Decoder, cache: torch.Tensor) -> None:
        self._decoder, self._cache, self._length = decoder, cache, 0

    @property
    def room(self) -> int:
        """How many tokens it can hold."""
        return self._cache.shape[3]

    def extend(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add tokens, at least one, and give the logits of what may follow them, V."""
        return self._decoder.logits(self._added(tokens)[-1])

    def along(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add tokens, at least one, and give the logits of what may follow each, TV."""
        return self._decoder.logits(self._added(tokens))

    def cut(self, length: int) -> None:
        """Forget all tokens but so many of the first."""
        self._length = min(length, self._length)

    def _added(self, tokens: Sequence[int]) -> torch.Tensor:
        hidden_TD = self._decoder.step(tokens, self._cache, self._length)
        self._length += len(tokens)
        return hidden_TD


def _layer(block: Any) -> _Layer:
    attention, mlp = block.self_attn, block.mlp
    projections = [attention.q_proj, attention.k_proj, attention.v_proj]
    return _Layer(
        before_D=block.input_layernorm.weight,
        qkv=_joined([p.weight for p in projections]),
        qkv_bias=_joined([p.bias for p in projections]),
        out=attention.o_proj.weight,
        between_D=block.post_attention_layernorm.weight,
        gate_up=_joined([mlp.gate_proj.weight, mlp.up_proj.weight]),
        down=mlp.down_proj.weight,
    )


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """The parts in one tensor, of which each becomes a view, so that nothing is kept twice."""
    joined = torch.cat([p.data for p in parts])
    for part, view in zip(parts, torch.split(joined, [len(p) for p in parts]), strict=True):
        part.data = view
    return joined


def _rotary(theta: float, channels: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of rotary positions (Su et al. 2021), halves side by side as Qwen2 has them."""
    frequency = 1.0 / theta ** (torch.arange(0, channels, 2, dtype=torch.float) / channels)
    angle = torch.outer(torch.arange(length, dtype=torch.float), frequency)
    angle_SC = torch.cat((angle, angle), dim=-1)
    return angle_SC.cos(), angle_SC.sin()


def _turned(x_HTC: torch.Tensor, cos_TC: torch.Tensor, sin_TC: torch.Tensor) -> torch.Tensor:
    first, second = x_HTC.chunk(2, dim=-1)
    return x_HTC * cos_TC + torch.cat((-second, first), dim=-1) * sin_TC
