from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.tuning.corpus import corpus_dir, load_corpus
from reward_llm.tuning.dedupe import near_copies

ROOT = Path(__file__).parents[2]
BESIDE = ROOT.parent / "shared" / "data" / "goals" / "dev.jsonl"
EVALUATED = [
    Path(os.environ.get("REWARD_LLM_DEV_GOALS", BESIDE)),
    ROOT / "benchmarks" / "goals" / "fresh.jsonl",
    ROOT / "examples" / "goals.jsonl",
]


@pytest.mark.parametrize("file", EVALUATED, ids=lambda f: f.stem)
def test_no_line_of_the_evaluation_goals_has_a_near_copy_in_the_corpus(file: Path) -> None:
    if not file.is_file():
        pytest.skip("no evaluation goals: set REWARD_LLM_DEV_GOALS to their file")
    lines = [json.loads(line)["goal"] for line in file.read_text(encoding="utf-8").splitlines()]
    copies = near_copies(lines, [g.goal for g in load_corpus(corpus_dir())])
    assert not copies, "take these lines out of the corpus:\n" + "\n".join(sorted({c.text for c in copies}))


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_text_is_a_near_copy_of_itself(text: str) -> None:
    assert near_copies([text], [text])[0].similarity == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [("CTR 提升 5%，尽快！", "ctr提升8%, 尽快"), ("Raise the click-through rate", "raise the click through rate!!")],
)
def test_case_width_spacing_punctuation_and_numbers_hide_no_copy(line: str, text: str) -> None:
    assert near_copies([line], [text])


def test_other_words_are_no_copy() -> None:
    assert not near_copies(["把点击率提上去"], ["次日留存要涨", "raise the click-through rate"])
