from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ranker.data import GeneratorConfig, generated_log, movielens_log, trivago_log
from ranker.errors import LogInvalid
from ranker.features import FeatureEncoder, shipped_spec


@pytest.fixture(scope="module")
def generated() -> pa.Table:
    return generated_log(GeneratorConfig(lists=600, seed=3))


def test_one_seed_gives_one_log_and_another_another() -> None:
    config = GeneratorConfig(lists=30, seed=5, fewest_candidates=12, most_candidates=20)
    assert generated_log(config).equals(generated_log(config))
    other = GeneratorConfig(lists=30, seed=6, fewest_candidates=12, most_candidates=20)
    assert not generated_log(config).equals(generated_log(other))


def test_generated_lists_have_the_sizes_that_were_asked_for() -> None:
    table = generated_log(GeneratorConfig(lists=25, size=6, fewest_candidates=8, most_candidates=9))
    assert table.num_rows == 25
    assert {len(shown) for shown in table.column("shown").to_pylist()} == {6}
    assert {len(items) for items in table.column("item_id").to_pylist()} == {8, 9}


def test_generated_requests_have_one_name_each(generated: pa.Table) -> None:
    names = generated.column("request_id").to_pylist()
    assert len(set(names)) == len(names)


def test_clicks_fall_with_the_slot_and_the_propensities_say_why(generated: pa.Table) -> None:
    click = np.array(generated.column("click").to_pylist())
    propensity = np.array(generated.column("propensity").to_pylist())
    assert np.allclose(propensity[0], 0.85 ** np.arange(10))
    assert click[:, :3].mean() > 1.5 * click[:, -3:].mean()
    weighed = click / propensity
    assert weighed[:, -3:].mean() / weighed[:, :3].mean() > 1.5 * click[:, -3:].mean() / click[:, :3].mean()


def test_outcomes_follow_clicks(generated: pa.Table) -> None:
    click, purchase = (np.array(generated.column(name).to_pylist()) for name in ("click", "purchase"))
    dwell = np.array(generated.column("dwell_s").to_pylist())
    assert not (purchase & ~click).any()
    assert ((dwell > 0) == click).all()
    assert 0 < purchase.sum() < click.sum()
    assert 0.2 < np.mean(generated.column("returned").to_pylist()) < 0.9


def test_lists_of_one_user_and_day_share_the_return(generated: pa.Table) -> None:
    days: dict[tuple[str, int], set[bool]] = {}
    for row in generated.select(["user_id", "timestamp", "returned"]).to_pylist():
        days.setdefault((row["user_id"], row["timestamp"] // 86_400), set()).add(row["returned"])
    assert all(len(returned) == 1 for returned in days.values())


def test_nothing_is_offered_before_it_is_published_and_there_is_something_new(generated: pa.Table) -> None:
    ages = [
        np.array(row["published"]) - row["timestamp"]
        for row in generated.select(["published", "timestamp"]).to_pylist()
    ]
    age_days = -np.concatenate(ages) / 86_400
    assert age_days.min() >= 0
    assert 0.05 < (age_days < 7).mean() < 0.4


def test_free_supply_is_never_bought(generated: pa.Table) -> None:
    for row in generated.select(["price", "shown", "purchase"]).to_pylist():
        assert all(
            row["price"][item] > 0 for item, bought in zip(row["shown"], row["purchase"], strict=True) if bought
        )


def test_the_shipped_spec_reads_a_generated_log(generated: pa.Table) -> None:
    encoder = FeatureEncoder.fit(shipped_spec(), generated)
    lists = encoder.lists(generated)
    lists.check()
    assert lists.requests.user_BF.shape == (600, encoder.user_width)
    assert lists.requests.item_BMF.shape[2] == encoder.item_width
    assert lists.propensity_BN is not None


@pytest.mark.parametrize(
    "changes",
    [{"lists": 0}, {"size": 31}, {"examination": 0.0}, {"random_share": 1.5}, {"fewest_candidates": 70}],
)
def test_settings_of_the_generator_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        GeneratorConfig(**changes)


def _event(step: int, action: str, reference: str, *, impressions: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "user_id": "U",
        "session_id": "S",
        "timestamp": 1000 + 10 * step,
        "step": step,
        "action_type": action,
        "reference": reference,
        "platform": "DE",
        "device": "mobile",
        "impressions": impressions,
        "prices": more.get("prices"),
    }


def test_clickouts_become_lists_in_the_order_shown(tmp_path: Path) -> None:
    events = [
        _event(2, "clickout item", "20", impressions="10|20|30", prices="50|60|70"),
        _event(1, "interaction item image", "30"),
        _event(3, "search for poi", "the beach"),
        _event(4, "clickout item", "30", impressions="30|20", prices="70|60"),
        _event(5, "clickout item", "30", impressions="30|20", prices="70"),
        _event(6, "clickout item", "30", impressions="30|30", prices="70|70"),
        _event(7, "clickout item", "30", impressions="30|20", prices="70|free"),
        _event(8, "clickout item", "30", impressions="30"),
    ]
    pq.write_table(pa.Table.from_pylist(events), tmp_path / "day.parquet")
    first, second = trivago_log(tmp_path / "day.parquet").to_pylist()
    assert (first["item_id"], first["shown"], first["price"]) == (["10", "20", "30"], [0, 1, 2], [50, 60, 70])
    assert first["click"] == [False, True, False]
    assert first["dwell_s"] == [0, 10, 0]
    assert (first["item.seen"], first["item.last"]) == ([0, 0, 1], [0, 0, 1])
    assert (second["item.seen"], second["item.clicked"], second["item.last"]) == ([1, 1], [0, 1], [0, 1])


def test_a_file_that_is_not_the_challenge_s_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogInvalid, match="no trivago log"):
        trivago_log(tmp_path / "none.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(LogInvalid, match="isn't the challenge's"):
        trivago_log(tmp_path / "other.parquet")


def _movielens(folder: Path) -> Path:
    genres = ["Drama", "Comedy|Drama", "(no genres listed)", "Action"]
    movies = ["movieId,title,genres"]
    movies += [f"{movie},Movie {movie} ({1990 + movie}),{genres[movie % 4]}" for movie in range(12)]
    ratings = ["userId,movieId,rating,timestamp"]
    ratings += [f"1,{movie},{1 + movie % 5},{86_400 * (movie // 3)}" for movie in range(6)]
    ratings += [f"2,{movie},5,{86_400 * 9}" for movie in range(3)]
    (folder / "movies.csv").write_text("\n".join(movies))
    (folder / "ratings.csv").write_text("\n".join(ratings))
    return folder


def test_ratings_become_lists_of_what_was_known_before(tmp_path: Path) -> None:
    table = movielens_log(_movielens(tmp_path), size=3, candidates=7, seed=1)
    first, second, third = table.to_pylist()
    assert [first["item_id"][place] for place in first["shown"]] == ["0", "1", "2"]
    assert first["item_id"] == sorted(first["item_id"])
    assert (first["click"], second["click"]) == ([False] * 3, [True, True, False])
    assert (first["returned"], second["returned"]) == (True, False)
    assert set(first["item.ratings"]) == {0}
    assert not {"0", "1", "2"} & set(second["item_id"])
    seen = dict(zip(third["item_id"], third["item.ratings"], strict=True))
    assert [seen[movie] for movie in ("0", "1", "2")] == [1, 1, 1]
    assert movielens_log(tmp_path, size=3, candidates=7, seed=1).equals(table)


def test_a_folder_without_movielens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogInvalid, match=r"movies\.csv"):
        movielens_log(tmp_path)
    _movielens(tmp_path)
    with pytest.raises(LogInvalid, match="no user"):
        movielens_log(tmp_path, size=10, candidates=10)
    with pytest.raises(ValueError, match="can't fill"):
        movielens_log(tmp_path, size=10, candidates=5)
