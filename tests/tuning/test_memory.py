from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reward_llm.errors import MemoryInsufficient
from reward_llm.resources import checkpoint_dir
from reward_llm.tuning.memory import ModelSize, available_memory, cgroup_headroom, check_memory, memory_need
from reward_llm.tuning.tuning_config import TuningConfig

# Qwen2.5-0.5B, by its published configuration
HALF_A_BILLION = ModelSize(
    parameters=494_032_768, layers=24, hidden=896, heads=14, kv_heads=2, feed_forward=4864, vocabulary=151_936
)
FULL, LORA = TuningConfig(), TuningConfig(lora_rank=16)
GIGABYTE = 10**9


def test_adapters_have_as_many_parameters_as_peft_counts() -> None:
    assert HALF_A_BILLION.adapters(8) == 4_399_104


def test_the_size_of_a_checkpoint_is_read_from_its_files() -> None:
    size = ModelSize.of(checkpoint_dir())
    assert (size.layers, size.hidden, size.vocabulary) == (6, 256, 5120)
    assert size.parameters == 6_035_712


def test_full_fine_tuning_needs_weights_gradients_and_two_moments() -> None:
    need = memory_need(HALF_A_BILLION, FULL, 1200)
    assert need.gradients == 4 * HALF_A_BILLION.parameters
    assert need.optimizer == 8 * HALF_A_BILLION.parameters
    assert need.total > 18 * HALF_A_BILLION.parameters


def test_adapters_and_smaller_batches_need_less() -> None:
    whole, adapters, small = (
        memory_need(HALF_A_BILLION, c, 1200).total for c in (FULL, LORA, replace(LORA, batch_tokens=1200))
    )
    assert whole > adapters > small


def test_what_is_kept_for_the_way_back_is_twice_as_large_in_float32() -> None:
    half, whole = (memory_need(HALF_A_BILLION, LORA, 1200, b) for b in (2, 4))
    assert whole.activations > 1.5 * half.activations
    assert whole.weights - half.weights == 2 * HALF_A_BILLION.parameters
    assert memory_need(HALF_A_BILLION, FULL, 1200, 4).weights == 4 * HALF_A_BILLION.parameters


def test_an_error_says_what_would_fit() -> None:
    with pytest.raises(MemoryInsufficient, match=r"needs about \d+\.\d GB .* 8\.0 GB are available") as caught:
        check_memory(HALF_A_BILLION, FULL, 1200, 8 * GIGABYTE)
    assert "--lora 16" in caught.value.hint
    with pytest.raises(MemoryInsufficient) as caught:
        check_memory(HALF_A_BILLION, LORA, 1200, 3 * GIGABYTE)
    assert "model trim --layers 12" in caught.value.hint
    with pytest.raises(MemoryInsufficient, match="GB") as caught:
        check_memory(HALF_A_BILLION, LORA, 1200, 10**8)
    assert "Nothing lighter fits" in caught.value.hint


def test_what_is_enough_is_accepted() -> None:
    assert check_memory(HALF_A_BILLION, LORA, 1200, 100 * GIGABYTE).total < 100 * GIGABYTE


def test_this_machine_has_memory() -> None:
    assert available_memory() > 0


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_every_group_around_a_process_limits_it(tmp_path: Path) -> None:
    written(
        tmp_path / "box", memory__max="1000\n", memory__current="900\n", memory__stat="anon 1\ninactive_file 50\n"
    )
    written(tmp_path / "box" / "inner", memory__max="max\n", memory__current="10\n")
    membership = written(tmp_path / "proc", cgroup="0::/box/inner\n") / "cgroup"
    assert list(cgroup_headroom(tmp_path, membership)) == [150]


def test_groups_of_version_1_limit_a_process(tmp_path: Path) -> None:
    files = {"memory.limit_in_bytes": "500", "memory.usage_in_bytes": "100"}
    written(tmp_path / "memory" / "box", **{k.replace(".", "__"): v for k, v in files.items()})
    membership = written(tmp_path / "proc", cgroup="4:cpu,memory:/box\n0::/\n") / "cgroup"
    assert list(cgroup_headroom(tmp_path, membership)) == [400]


def test_a_machine_without_groups_sets_no_limit(tmp_path: Path) -> None:
    assert list(cgroup_headroom(tmp_path, tmp_path / "none")) == []
