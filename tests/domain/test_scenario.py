from __future__ import annotations

from dataclasses import replace

import pytest

from reward_llm.domain.scenario import Bounds, Guardrails, Terms
from reward_llm.errors import ScenarioInvalid, SegmentUnknown
from tests.strategies import HOME_FEED, VIDEO_FEED


def test_home_feed_has_the_seven_concepts_and_their_default_weights():
    assert dict(HOME_FEED.defaults) == {
        "click": 0.25, "gmv": 0.20, "satisfaction": 0.15, "retention": 0.15,
        "diversity": 0.10, "cold_start": 0.10, "group_order": 0.05,
    }  # fmt: skip


def test_video_feed_has_other_names_and_one_utility_that_no_concept_covers():
    assert not set(VIDEO_FEED.utility_names) & set(HOME_FEED.utility_names)
    assert [u.name for u in VIDEO_FEED.utilities if u.concept is None] == ["calm"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"utilities": HOME_FEED.utilities[:1]}, "1 utilities"),
        ({"utilities": HOME_FEED.utilities * 2}, "there twice"),
        ({"utilities": HOME_FEED.utilities[1:]}, "add up to 0.75"),
        ({"segments": HOME_FEED.segments * 2}, "segment 'mature_user' is there twice"),
        ({"guardrails": Guardrails(held=("nothing",))}, "'nothing' isn't one of its utilities"),
        ({"guardrails": Guardrails(max_step=0)}, "max_step"),
        ({"name": "Home Feed"}, "isn't a name"),
        ({"name": "events"}, "taken by the stream of events"),
        (
            {
                "utilities": (
                    replace(HOME_FEED.utilities[0], bounds=Bounds(min=0.3, max=0.5)),
                    *HOME_FEED.utilities[1:],
                )
            },
            "min ≤ default",
        ),
        (
            {
                "utilities": (
                    replace(HOME_FEED.utilities[0], terms=Terms(zh=("安静",)), opposites=Terms(zh=("安静",))),
                    *HOME_FEED.utilities[1:],
                )
            },
            "'安静' is among its terms and among their opposites",
        ),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused_with_what_is_wrong(changes, complaint):
    with pytest.raises(ScenarioInvalid, match=complaint):
        replace(HOME_FEED, **changes)


def test_an_unknown_segment_is_refused_with_the_known_ones():
    HOME_FEED.check_segment(None)
    HOME_FEED.check_segment("new_user")
    with pytest.raises(SegmentUnknown) as caught:
        HOME_FEED.check_segment("robots")
    assert caught.value.hint == "It has: new_user, mature_user."
