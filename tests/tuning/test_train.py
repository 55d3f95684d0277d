from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from reward_llm.domain.answer import goal_message
from reward_llm.errors import CheckpointInvalid
from reward_llm.tuning.config import Mix, Shape, TrainingConfig, TrainingProgress, TrainingReport
from reward_llm.tuning.corpus import LabelledGoal, parse_goal
from reward_llm.tuning.examples import Rounds, held_back, user_message
from reward_llm.tuning.grammar import Grammar
from reward_llm.tuning.score import score
from reward_llm.tuning.train import HELD_BACK, build_model, train, training_folder
from reward_llm.tuning.vocabulary import ANSWER, prompt, train_tokenizer
from reward_llm.validation.checkpoints import verify_checkpoint

TINY = TrainingConfig(
    steps=8,
    minutes=60,
    score_every=3,
    threads=1,
    hold_back=0.2,
    shape=Shape(vocabulary=512, hidden=64, layers=2, heads=2, kv_heads=1, feed_forward=64),
    mix=Mix(round_size=24, batch_tokens=256),
)


@pytest.fixture(scope="module")
def goals() -> tuple[LabelledGoal, ...]:
    grammar = Grammar(random.Random(0))
    return tuple(g for _ in range(20) for g in (grammar.goal(), grammar.goal(), grammar.nothing()))


Whole = tuple[Path, TrainingReport]


class Interrupted(Exception):
    pass


@pytest.fixture(scope="module")
def whole(goals: tuple[LabelledGoal, ...], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(TINY, goals, folder, lambda _: None)


def test_a_broken_off_run_goes_on_to_the_same_weights(
    goals: tuple[LabelledGoal, ...], whole: Whole, tmp_path: Path
) -> None:
    def interrupt(progress: TrainingProgress) -> None:
        if progress.step == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(TINY, goals, tmp_path, interrupt)
    seen: list[int] = []
    train(TINY, goals, tmp_path, lambda p: seen.append(p.step))
    assert seen == [4, 5, 6, 7, 8]
    left, right = (AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (tmp_path, whole[0]))
    assert all(torch.equal(left[name], right[name]) for name in right)


def test_the_checkpoint_loads_and_answers(whole: Whole, goals: tuple[LabelledGoal, ...]) -> None:
    folder, report = whole
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id == model.config.eos_token_id
    assert model.config.vocab_size == len(tokenizer)
    turn = [{"role": "user", "content": goal_message("提升点击率", {})}]
    assert tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False).endswith(ANSWER)
    assert tokenizer.padding_side == "left"
    assert score(model, tokenizer, goals[:5]).goals == 5
    assert report.steps == 8


def test_the_checkpoint_can_be_read_by_everybody_and_carries_its_card(whole: Whole) -> None:
    folder, report = whole
    assert (folder / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert "| grammar.jsonl |" in (folder / "README.md").read_text(encoding="utf-8")
    assert json.loads((folder / "training.json").read_text(encoding="utf-8"))["steps"] == report.steps


def test_training_lowers_the_loss(goals: tuple[LabelledGoal, ...], tmp_path: Path) -> None:
    losses: list[float] = []
    config = TrainingConfig(
        **{**{k: getattr(TINY, k) for k in TINY.__slots__}, "steps": 40, "score_every": 100, "warmup_steps": 5}
    )
    train(config, goals, tmp_path, lambda p: losses.append(p.loss))
    assert losses[-1] < 0.8 * losses[0]


def test_held_back_goals_are_never_trained_on(goals: tuple[LabelledGoal, ...], whole: Whole) -> None:
    held = [g for g in goals if held_back(g, TINY.hold_back)]
    assert held
    assert sum(whole[1].goals.values()) == len(goals) - len(held)
    kept = (whole[0] / HELD_BACK).read_text("utf-8").splitlines()
    assert [parse_goal(line, "grammar") for line in kept] == held


def test_a_round_is_the_same_whenever_it_is_drawn(goals: tuple[LabelledGoal, ...]) -> None:
    tokenizer = train_tokenizer([goal_message(g.goal, {}) for g in goals], 512)
    rounds = Rounds(goals, tokenizer, TINY.mix)
    first, again, other = (rounds.batches(n) for n in (3, 3, 4))
    assert all(torch.equal(a.token_BT, b.token_BT) for a, b in zip(first, again, strict=True))
    assert not all(a.token_BT.equal(b.token_BT) for a, b in zip(first, other, strict=False))
    ahead = rounds.ahead(3)
    assert all(torch.equal(a.token_BT, b.token_BT) for a, b in zip(first, next(ahead), strict=True))
    assert all(torch.equal(a.token_BT, b.token_BT) for a, b in zip(other, next(ahead), strict=True))
    ahead.close()


def test_an_answer_is_marked_from_its_first_token_to_its_end(goals: tuple[LabelledGoal, ...]) -> None:
    tokenizer = train_tokenizer([goal_message(g.goal, {}) for g in goals], 512)
    batch = Rounds(goals, tokenizer, TINY.mix).batches(0)[0]
    for tokens, real, answer in zip(batch.token_BT, batch.real_BT, batch.answer_BT, strict=True):
        text = tokenizer.decode(tokens[answer])
        assert text.startswith('{"decision":"')
        assert text.endswith(tokenizer.eos_token)
        assert int(answer.nonzero().max()) == int(real.nonzero().max())


def test_padding_does_not_change_what_is_learnt(goals: tuple[LabelledGoal, ...]) -> None:
    tokenizer = train_tokenizer([goal_message(g.goal, {}) for g in goals], 512)
    model = build_model(TINY.shape, tokenizer).eval()
    short = torch.tensor([tokenizer("提升点击率")["input_ids"]])
    padded = torch.nn.functional.pad(short, (0, 7), value=tokenizer.pad_token_id)
    with torch.inference_mode():
        torch.testing.assert_close(model(padded).logits[:, : short.shape[1]], model(short).logits)


def test_the_checkpoint_splits_text_as_in_training(whole: Whole, goals: tuple[LabelledGoal, ...]) -> None:
    folder, _ = whole
    trained = AutoTokenizer.from_pretrained(next((folder / "runs").iterdir()) / "tokenizer")
    shipped = AutoTokenizer.from_pretrained(folder)
    texts = [text for g in goals for text in (prompt(user_message(g.goal)), g.answer)]
    assert shipped(texts)["input_ids"] == trained(texts)["input_ids"]


def test_training_goes_on_from_a_checkpoint(whole: Whole, goals: tuple[LabelledGoal, ...], tmp_path: Path) -> None:
    begun, _ = whole
    losses: list[float] = []
    config = replace(TINY, steps=4, learning_rate=1e-9, warmup_steps=1)
    report = train(config, goals, tmp_path / "on", lambda p: losses.append(p.loss), begun)
    assert report.started_from == verify_checkpoint(begun)
    left, right = (AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (tmp_path / "on", begun))
    assert all(torch.allclose(left[name], right[name], atol=1e-3) for name in right)
    assert "trained on from a checkpoint" in (tmp_path / "on" / "README.md").read_text(encoding="utf-8")
    assert training_folder(config, goals, tmp_path, begun) != training_folder(config, goals, tmp_path)


def test_a_damaged_checkpoint_is_not_gone_on_from(
    whole: Whole, goals: tuple[LabelledGoal, ...], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(whole[0], damaged)
    (damaged / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointInvalid):
        train(TINY, goals, tmp_path / "on", lambda _: None, damaged)
