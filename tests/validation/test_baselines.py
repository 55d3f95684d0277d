from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reward_llm import bootstrap
from reward_llm.errors import ConfigurationInvalid, ScenarioInvalid
from reward_llm.resources import scenarios_dir
from reward_llm.validation.baselines import sign_baseline, signature_file
from reward_llm.validation.signatures import load_private_key, write_key_pair


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    write_key_pair(private, public)
    return private, public


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the scenarios that ship, to be signed."""
    made = tmp_path / "scenarios"
    shutil.copytree(scenarios_dir(), made)
    return made


def load(folder: Path | None, public: Path | None) -> set[str]:
    settings = bootstrap.load_settings(scenarios_dir=folder, baseline_public_key=public)
    return set(bootstrap.load_all_scenarios(settings))


def sign_all(folder: Path, private: Path) -> None:
    for file in folder.glob("*.yaml"):
        assert sign_baseline(file, load_private_key(private)) == signature_file(file)


def change(file: Path, was: str, becomes: str) -> None:
    text = file.read_text("utf-8")
    assert was in text
    file.write_text(text.replace(was, becomes), "utf-8")


def test_without_a_key_nothing_is_checked(folder):
    assert load(folder, None) == {"home_feed", "video_feed"}


def test_signed_scenarios_are_loaded(folder, keys):
    sign_all(folder, keys[0])
    assert load(folder, keys[1]) == {"home_feed", "video_feed"}


@pytest.mark.parametrize("own", [True, False])
def test_a_scenario_without_a_signature_is_refused_whether_it_ships_or_not(folder, keys, own):
    with pytest.raises(ConfigurationInvalid, match=r"no signature can be read from .*\.yaml\.sig") as caught:
        load(folder if own else None, keys[1])
    assert "scenarios sign" in (caught.value.hint or "")


def test_defaults_that_changed_after_signing_are_refused(folder, keys):
    sign_all(folder, keys[0])
    file = folder / "home_feed.yaml"
    change(file, "Expected clicks", "Clicks that are expected")
    load(folder, keys[1])
    change(file, "default: 0.25", "default: 0.26")
    change(file, "default: 0.20", "default: 0.19")
    with pytest.raises(ConfigurationInvalid, match="isn't what was signed"):
        load(folder, keys[1])


def test_a_signature_of_another_scenario_or_another_key_is_refused(folder, keys, tmp_path):
    sign_all(folder, keys[0])
    home, video = (signature_file(folder / f"{name}.yaml") for name in ("home_feed", "video_feed"))
    kept = home.read_text("ascii")
    write_key_pair(tmp_path / "other.pem", tmp_path / "other_public.pem")
    for wrong in (video.read_text("ascii"), "", "\x00", "A" * 5_000):
        home.write_text(wrong, "ascii")
        with pytest.raises(ConfigurationInvalid, match="isn't what was signed"):
            load(folder, keys[1])
    home.write_text(kept, "ascii")
    with pytest.raises(ConfigurationInvalid, match="isn't what was signed"):
        load(folder, tmp_path / "other_public.pem")


def test_only_whole_scenarios_are_signed(tmp_path, keys):
    (tmp_path / "broken.yaml").write_text("name: broken", "utf-8")
    with pytest.raises(ScenarioInvalid):
        sign_baseline(tmp_path / "broken.yaml", load_private_key(keys[0]))
    assert not signature_file(tmp_path / "broken.yaml").exists()
