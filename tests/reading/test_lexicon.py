from __future__ import annotations

import pytest

from reward_llm.domain.scenario import Concept
from reward_llm.reading.lexicon import Entry, Kind, entries_for
from reward_llm.reading.matcher import Matcher
from tests.strategies import HOME_FEED, VIDEO_FEED

ENTRIES = entries_for(HOME_FEED)


@pytest.mark.parametrize("concept", Concept)
def test_every_concept_is_known_in_both_languages(concept: Concept) -> None:
    phrases = [e.phrase for e in ENTRIES if e.utility == concept.value and e.kind is Kind.GOOD]

    assert any(p.isascii() for p in phrases)
    assert any(not p.isascii() for p in phrases)


def test_every_phrase_can_be_found() -> None:
    for entry in ENTRIES:
        example = " ".join(part.split("|")[0] for part in entry.phrase.split("…")).strip()
        assert Matcher.of([entry]).find(example), entry


def test_a_scenarios_own_terms_name_its_utilities() -> None:
    entries = entries_for(VIDEO_FEED)

    assert Entry("soothing", Kind.GOOD, "calm") in entries
    assert Entry("siren", Kind.BAD, "calm") in entries
    assert not [e for e in entries if e.kind.names_utility and e.utility not in VIDEO_FEED.utility_names]


def test_words_of_a_utility_without_a_concept_are_nobody_elses() -> None:
    phrases = {e.phrase for e in entries_for(VIDEO_FEED) if e.utility == "watch_quality"}

    assert {"焦虑", "越刷越焦虑"} <= {e.phrase for e in ENTRIES if e.utility == "satisfaction"}
    assert not {p for p in phrases if "焦虑" in p}
