from __future__ import annotations

import shutil

import pytest

from reward_llm.resources import checkpoint_dir
from tests.service import service

GOAL = {"scenario": "home_feed", "text": "Raise CTR by 10%"}


def copied(folder):
    return shutil.copytree(checkpoint_dir(), folder / "checkpoint")


def flip_a_byte(folder):
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 0xFF
    weights.write_bytes(data)


def cut_short(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def lose_the_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize("damage", [flip_a_byte, cut_short, lose_the_tokenizer, shutil.rmtree])
def test_with_a_damaged_checkpoint_the_service_starts_and_says_so_in_every_answer(damage, tmp_path, unused_tcp_port):
    folder = copied(tmp_path)
    damage(folder)
    with service(tmp_path, unused_tcp_port, checkpoint=str(folder)) as running:
        answer = running.http.post("/v1/goals", json=GOAL)
        ready = running.http.get("/readyz").json()
    assert answer.status_code == 201
    proposal = answer.json()["proposal"]
    assert proposal["source"] == "rules"
    assert proposal["reason"].startswith("checkpoint_invalid")
    assert proposal["weights"]["click"] > proposal["previous_weights"]["click"]
    assert not ready["checks"]["model"]["ok"]
