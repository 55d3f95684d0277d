"""Goals that a model answers with points, from the request to the weights that are served."""

from __future__ import annotations

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.generation.prompts import load_bundle
from tests.api.harness import Setup
from tests.strategies import HOME_FEED

POINTS = load_bundle("goal_to_points")
EVEN = dict.fromkeys(HOME_FEED.utility_names, 10)


def answering(*points: dict[str, int]) -> ScriptedModel:
    raised = [("gmv", Direction.RAISE, Emphasis.CLEAR)]
    return ScriptedModel([canonical_answer(raised, p) for p in points], vocabulary=Vocabulary.UTILITIES)


async def test_points_reach_the_weights_that_are_served(setup: Setup) -> None:
    points = dict(zip(HOME_FEED.utility_names, (20, 35, 10, 15, 8, 7, 5), strict=True))
    async with setup.start(model=answering(points), bundle=POINTS) as desk:
        answer = await desk.submit()
        assert (answer["proposal"]["source"], answer["proposal"]["prompt"]) == ("scripted", "goal_to_points@1")
        assert answer["interpretation"]["notices"] == []
        await desk.activate(answer["proposal"]["policy_id"])
        assert (await desk.weights())["weights"] == {k: v / 100 for k, v in points.items()}
        again = (await desk.client.get(f"/v1/goals/{answer['id']}")).json()
        assert again["proposal"]["prompt"] == "goal_to_points@1"


async def test_points_that_were_drawn_back_and_a_rule_that_stepped_in_are_told(setup: Setup) -> None:
    beyond, against = dict.fromkeys(EVEN, 0) | {"gmv": 100}, EVEN
    async with setup.start(model=answering(beyond, against, against), bundle=POINTS) as desk:
        first, second = await desk.submit(), await desk.submit(text="Raise GMV by 20% next weekend")
        notices = [{n["code"]: n["message"] for n in a["interpretation"]["notices"]} for a in (first, second)]
        assert "weights/gmv: 100.00% is outside" in notices[0]["points_drawn_back"]
        assert "weights/gmv" in notices[1]["weighed_by_rule"]
        assert [a["succeeded"] for a in second["proposal"]["attempts"]] == [False, False]
        assert second["proposal"]["weights"]["gmv"] > HOME_FEED.defaults["gmv"]
