from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import SurfaceInvalid
from reward_llm.loop.surface.design import design
from reward_llm.loop.surface.files import dump_surface, load_surface
from reward_llm.loop.surface.forecasting import SurfaceForecaster
from reward_llm.loop.surface.shelf import SHIPPED, load_surfaces
from reward_llm.loop.surface.surface import Surface
from tests.loop.surface.problems import METRICS, ClosedForm, surface
from tests.strategies import HOME_FEED, VIDEO_FEED

ELSEWHERE = Weights(
    {
        "click": 0.2,
        "gmv": 0.25,
        "satisfaction": 0.1,
        "retention": 0.17,
        "diversity": 0.18,
        "cold_start": 0.07,
        "group_order": 0.03,
    }
)


def test_a_surface_tells_what_weights_bring_that_were_not_tried() -> None:
    found = surface().predict(ELSEWHERE)
    assert found.keys() == METRICS.keys()
    for name, value in METRICS.items():
        assert found[name].mean == pytest.approx(value(ELSEWHERE), rel=0.01)


def test_noise_makes_it_less_sure() -> None:
    exact, noisy = surface().predict(ELSEWHERE), surface(ClosedForm(noise=0.05)).predict(ELSEWHERE)
    assert all(noisy[name].error > exact[name].error for name in METRICS)


def test_a_correction_scales_a_metric_and_its_error() -> None:
    plain = surface(ClosedForm(noise=0.02))
    corrected = plain.corrected({"gmv": 1.2, "unheard_of": 3.0})
    before, after = plain.predict(ELSEWHERE), corrected.predict(ELSEWHERE)
    assert after["gmv"].mean == pytest.approx(1.2 * before["gmv"].mean)
    assert after["gmv"].error == pytest.approx(1.2 * before["gmv"].error)
    assert after["ctr"] == before["ctr"]
    assert corrected.factors == {"gmv": 1.2}
    assert corrected.fingerprint != plain.fingerprint
    with pytest.raises(SurfaceInvalid, match="over 0: gmv"):
        plain.corrected({"gmv": 0.0})


def test_a_surface_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    made, file = surface(ClosedForm(noise=0.02, error=0.1)), tmp_path / "home_feed.json"
    file.write_text(dump_surface(made), "utf-8")
    read = load_surface(file)
    assert read == made
    assert read.predict(ELSEWHERE) == made.predict(ELSEWHERE)
    assert read.made_of == {"what_if": "simulator", "seed": 1, "users": 5}


def broken(document: dict[str, Any], how: str) -> dict[str, Any]:
    metric = document["metrics"]["gmv"]
    if how == "another mean":
        metric["means"][0] += 1
    elif how == "a mean too few":
        metric["means"].pop()
    elif how == "a weight too few":
        document["points"][3].pop()
    else:
        document["kind"] = "surface/2"
    return document


@pytest.mark.parametrize("how", ["another mean", "a mean too few", "a weight too few", "another kind"])
def test_a_file_that_isnt_what_was_written_is_refused(tmp_path: Path, how: str) -> None:
    file = tmp_path / "home_feed.json"
    file.write_text(json.dumps(broken(json.loads(dump_surface(surface())), how)), "utf-8")
    with pytest.raises(SurfaceInvalid, match=r"home_feed\.json"):
        load_surface(file)
    with pytest.raises(SurfaceInvalid, match="holds no surface"):
        load_surface(tmp_path / "none.json")


def test_too_little_makes_no_surface() -> None:
    few = design(HOME_FEED, 8)
    with pytest.raises(SurfaceInvalid, match="7 points"):
        Surface.fit(HOME_FEED, few[:7], ClosedForm().expected(few[:7]), {})
    unmeasured = [{}, *ClosedForm().expected(few[1:])]
    with pytest.raises(SurfaceInvalid, match="no metric"):
        Surface.fit(HOME_FEED, few, unmeasured, {})


def test_the_surface_that_ships_is_over_the_scenario_that_ships() -> None:
    (found,) = load_surfaces().values()
    assert found.fits_scenario(HOME_FEED)
    assert not found.fits_scenario(VIDEO_FEED)
    assert found.points[0] == HOME_FEED.defaults.vector
    assert 0.5 < found.predict(HOME_FEED.defaults)["next_day_retention"].mean < 0.7


def test_a_folder_takes_the_place_of_what_ships(tmp_path: Path) -> None:
    made = surface()
    (tmp_path / "mine.json").write_text(dump_surface(made), "utf-8")
    assert load_surfaces(tmp_path) == {"home_feed": made}
    assert SHIPPED not in tmp_path.parents


async def test_a_forecast_is_what_the_surface_expects() -> None:
    made = surface()
    forecaster = SurfaceForecaster(lambda: {"home_feed": made})
    found = await forecaster.forecast(Scope("home_feed", "new_user"), ELSEWHERE)
    assert found is not None
    assert found.made_by == f"surface {made.fingerprint[:8]}"
    assert found.metrics["gmv"].mean == made.predict(ELSEWHERE)["gmv"].mean
    assert await forecaster.forecast(Scope("video_feed"), ELSEWHERE) is None
    assert await forecaster.forecast(Scope("home_feed"), {"click": 1.0}) is None
