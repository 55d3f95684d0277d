"""Networks in the layout of the kernels, with what is constant multiplied in."""

# O out, I in, D hidden, C channel, A attention, L positions, F narrow, W width of an item, K utilities

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from ranker.actor import Actor
from ranker.augment import AUGMENTED
from ranker.config import ActorConfig
from ranker.decoder import CONTEXT, PROGRESS, Decoder
from ranker.errors import ModelInvalid
from ranker.evaluator import Evaluator, Head
from ranker.evaluator.channels import PER_ITEM, PER_SLATE
from ranker.item_input import ItemInput
from ranker.relations import RELATIONS, REPEATS
from ranker.scorer.layout import (
    ActorNet,
    EvaluatorNet,
    Held,
    Layer,
    Reader,
    Utilities,
    Utility,
    concatenated,
    padded,
    up,
)
from ranker.utilities import Click, ColdStart, Diversity, Gmv, GroupOrder, Rescaled, Retention, Satisfaction
from ranker.utilities import Utility as AnyUtility
from ranker.utilities.registry import UtilityRegistry

MOST_WIDTH: Final = 1_024
MOST_UTILITIES: Final = 32
_CONSTANTS: Final = (RELATIONS, REPEATS, CONTEXT, PROGRESS, AUGMENTED, PER_ITEM, PER_SLATE, len(Head))
_COMPILED: Final = (6, 2, 10, 3, 11, 3, 2, 4)
"""The same, as the kernels have them."""
_SENSITIVE: Final = {"key": (3, 3), "start": (3,), "context": (10, 3), "value": (2, 1)}
"""The parameters that the kernels take, of a decoder of 3 hidden and 2 attention units."""
_KINDS: Final = (Click, Gmv, Satisfaction, Retention, Diversity, ColdStart, GroupOrder)
_ATTRIBUTES: Final = {"seller": 1, "category": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """An actor, an evaluator and the utilities, as the kernels read them."""

    held: Held
    actor: int
    evaluator: int
    utilities: int

    @classmethod
    def of(cls, actor: Actor, evaluator: Evaluator, utilities: UtilityRegistry) -> Packed:
        """Lay them out.

        Raises:
            ModelInvalid: If a utility isn't one that the kernels know, or a network is too wide for them.
        """
        _check(actor, evaluator, utilities)
        held = Held()
        with torch.no_grad():
            return cls(
                held=held,
                actor=held.to(_actor(held, actor)),
                evaluator=held.to(_evaluator(held, evaluator)),
                utilities=held.to(_utilities(held, utilities)),
            )


def packed_sensitive(sensitive: dict[str, Tensor]) -> Tensor:
    """What one weight vector makes, in one block.

    The columns that pass by the tanh come apart from the others. Those of the state and the slot are left out: they
    are the same for every candidate.
    """
    key_DA, context_XA = sensitive["key"][0], sensitive["context"][0]
    parts = (
        padded(key_DA[:, :-1]),
        padded(key_DA[:, -1]),
        padded(sensitive["start"][0]),
        padded(context_XA[:, :-1]),
        padded(context_XA[:, -1]),
        padded(sensitive["value"][0, :, 0]),
    )
    return concatenated(parts)


def _reader(held: Held, read: ItemInput, groups: int, extra: int) -> Reader:
    return Reader(
        held.at(read.table.weight.detach().contiguous()),
        held.at(read.size_C.contiguous()),
        held.at(read.offset_C.contiguous()),
        len(read.size_C),
        read.table.embedding_dim,
        groups - 1,
        extra,
        held.at(padded(read.user_FD)),
        held.layer(read.item.weight, read.item.bias),
    )


def _actor(held: Held, actor: Actor) -> ActorNet:
    encoder, decoder, config = actor.encoder, actor.decoder, actor.config
    cell, attention = decoder.recurrence, config.attention
    return ActorNet(
        _reader(held, encoder.read, actor.shape.groups, AUGMENTED),
        held.layer(encoder.phi.weight, encoder.phi.bias),
        held.layer(encoder.own.weight, encoder.own.bias),
        held.layer(encoder.others.weight),
        held.layer(decoder.start.weight, decoder.start.bias),
        held.layer(decoder.query.weight[:attention]),
        held.layer(decoder.progress.weight[:attention], decoder.progress.bias[:attention]),
        held.layer(_gates(cell.weight_ih), _gates(cell.bias_ih)),
        held.layer(_gates(cell.weight_hh), _gates(cell.bias_hh)),
        config.hidden,
        attention,
    )


def _gates(value: Tensor) -> Tensor:
    """Each of three parts padded to whole vectors of outputs."""
    parts = value.detach().chunk(3)
    size = up(len(parts[0]))
    return torch.cat([_taller(part, size) for part in parts])


def _taller(value: Tensor, rows: int) -> Tensor:
    return torch.cat([value, value.new_zeros(rows - len(value), *value.shape[1:])])


def _evaluator(held: Held, net: Evaluator) -> EvaluatorNet:
    channels, config = net.channels, net.config
    width, channel = config.input.hidden, config.channel
    of_item = torch.split(net.of_item.weight, [width, channel, channel, channel], dim=1)
    of_whole = torch.split(net.slate_in.weight, channel, dim=1)
    attended, attended_bias = channels.attend_out.weight, channels.attend_out.bias
    recur = dict(channels.recur.named_parameters())
    return EvaluatorNet(
        read=_reader(held, net.read, net.shape.groups, 0),
        total=held.layer(channels.total.weight),
        narrow=held.layer(channels.narrow.weight, channels.narrow.bias),
        total_bias=held.at(padded(channels.total.bias)),
        flat=held.at(padded(channels.flat_LFC)),
        attend=held.layer(_gates(channels.attend_in.weight), _gates(channels.attend_in.bias)),
        given=held.layer(_gates(recur["weight_ih_l0"]), _gates(recur["bias_ih_l0"])),
        kept=held.layer(_gates(recur["weight_hh_l0"]), _gates(recur["bias_hh_l0"])),
        like=held.layer(channels.likeness.weight),
        dots=held.at(padded(channels.dots_LC)),
        of_own=held.layer(of_item[0], net.of_item.bias + of_item[1] @ attended_bias),
        of_recur=held.layer(of_item[2]),
        of_position=held.layer(_side_by_side(of_item[1] @ attended, of_item[3])),
        of_slate=held.layer(_side_by_side(*torch.split(net.of_slate.weight, channel, dim=1)), net.of_slate.bias),
        item_out=_rows(held, net.item_out),
        slate_in=held.layer(
            _side_by_side(of_whole[0] @ attended, *of_whole[1:]), net.slate_in.bias + of_whole[0] @ attended_bias
        ),
        slate_out=_rows(held, net.slate_out),
        examination=held.at(padded(net.examination.log_prob(config.slate).exp())),
        scale=held.at(net.scale_H.contiguous()),
        shift=held.at(net.shift_H.contiguous()),
        width=width,
        channel=channel,
        heads=config.heads,
        narrow_width=config.flat,
        positions=config.slate,
        usual=float(config.usual_slate),
        averaged=int(config.averaged_position),
    )


def _rows(held: Held, linear: nn.Linear) -> Layer:
    """A layer of two outputs, each a row: no column is wasted."""
    return Layer(held.at(padded(linear.weight)), held.at(linear.bias.detach().contiguous()), linear.in_features, 2)


def _side_by_side(*weights_OI: Tensor) -> Tensor:
    """Layers whose inputs follow one another, each padded to whole vectors."""
    return torch.cat([padded(weight_OI) for weight_OI in weights_OI], dim=1)


def _utilities(held: Held, registry: UtilityRegistry) -> Utilities:
    packed = (Utility * len(registry))(*(_utility(one) for one in registry))
    return Utilities(len(registry), held.to(packed))


def _utility(one: AnyUtility) -> Utility:
    low, high = 0.0, 1.0
    if isinstance(one, Rescaled):
        low, high, one = one.low, one.high, one.utility
    setting = 0.0
    if isinstance(one, Gmv):
        setting = one.price_cap or 0.0
    elif isinstance(one, Diversity):
        setting = float(sum(_ATTRIBUTES[name] for name in set(one.attributes)))
    elif isinstance(one, ColdStart):
        setting = one.target
    return Utility(_KINDS.index(type(one)), setting, low, high)


def _check(actor: Actor, evaluator: Evaluator, utilities: UtilityRegistry) -> None:
    for one in utilities:
        inner = one.utility if isinstance(one, Rescaled) else one
        if type(inner) not in _KINDS or (isinstance(inner, Diversity) and inner.measure != "pairs"):
            raise ModelInvalid(f"the utility {one.name} isn't one that is compiled")
    if Decoder.sensitive(ActorConfig(hidden=3, attention=2)) != _SENSITIVE or _CONSTANTS != _COMPILED:
        raise ModelInvalid("the networks have other parts than the kernels were written for")
    if evaluator.shape != actor.shape:
        raise ModelInvalid("the actor and the evaluator read requests of different shapes")
    widest = max(actor.config.input.hidden, evaluator.config.input.hidden)
    if widest > MOST_WIDTH or len(utilities) > MOST_UTILITIES:
        raise ModelInvalid(f"items of a width of {widest}, or {len(utilities)} utilities, are too many to compile")
