"""MovieLens ratings as lists."""

from __future__ import annotations

import calendar
import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ranker.data.log_format import check_log, log_schema
from ranker.errors import LogInvalid

LIKED: Final = 4.0
"""Stars from which a rating counts as a click."""
DAY_S: Final = 86_400

_YEAR: Final = re.compile(r"\((\d{4})\)\s*$")


@dataclass(frozen=True, slots=True)
class Movie:
    """What the catalogue says of a movie."""

    genres: tuple[str, ...]
    published: int | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One user's stars for one movie."""

    user: str
    movie: str
    stars: float
    timestamp: int


@dataclass(slots=True)
class _Past:
    """What all users had rated up to now, by the movies' places in the catalogue."""

    names: list[str]
    place: dict[str, int]
    count_I: np.ndarray
    stars_I: np.ndarray

    @classmethod
    def empty(cls, names: list[str]) -> _Past:
        place = {name: index for index, name in enumerate(names)}
        return cls(names, place, np.zeros(len(names)), np.zeros(len(names)))

    def add(self, rating: Rating) -> None:
        self.count_I[self.place[rating.movie]] += 1
        self.stars_I[self.place[rating.movie]] += rating.stars

    def count(self, movie: str) -> float:
        return float(self.count_I[self.place[movie]])

    def mean(self, movie: str) -> float | None:
        return float(self.stars_I[self.place[movie]]) / self.count(movie) if self.count(movie) else None

    def drawn(self, count: int, besides: set[str], generator: np.random.Generator) -> list[str]:
        """Draw movies by how often they were rated, once more each."""
        weight_I = 1 + self.count_I
        weight_I[[self.place[name] for name in besides]] = 0
        count = min(count, int((weight_I > 0).sum()))
        places = generator.choice(len(weight_I), count, replace=False, p=weight_I / weight_I.sum())
        return [self.names[place] for place in places]


def movielens_log(folder: Path, *, size: int = 10, candidates: int = 50, seed: int = 0) -> pa.Table:
    """Give lists of `size` movies that a user rated one after the other, in the format of `ranker.data`.

    A rating isn't an exposure: MovieLens has no lists, so this is a stand-in to exercise the pipeline with real
    tastes and a real catalogue, and no measure of position bias. A click is a rating of at least `LIKED` stars. The
    other candidates are movies that the user hadn't rated, drawn by how often others had rated them until then. A
    movie's features (`item.ratings`, `item.stars`) are of ratings before the list, whose time is that of its last
    rating. `returned` says whether the user rated again on the next day in UTC; there are no sellers, prices,
    purchases or dwell times.

    Raises:
        LogInvalid: If the folder doesn't hold `ratings.csv` and `movies.csv`, or no user rated `size` movies.
        ValueError: If there are fewer candidates than the list shows.
    """
    if candidates < size:
        raise ValueError(f"{candidates} candidates can't fill lists of {size}")
    movies = _movies(folder / "movies.csv")
    ratings = sorted(_ratings(folder / "ratings.csv", movies), key=lambda one: (one.timestamp, one.user, one.movie))
    generator = np.random.default_rng(seed)
    rows = list(_rows(ratings, movies, size, candidates, generator))
    if not rows:
        raise LogInvalid(f"no user of {folder} rated {size} movies")
    return check_log(pa.Table.from_pylist(rows, schema=_SCHEMA))


_SCHEMA: Final = log_schema(
    user=dict.fromkeys(("ratings", "liked"), pa.float32()),
    item=dict.fromkeys(("ratings", "stars", "affinity"), pa.float32()),
)


@dataclass(slots=True)
class _Viewer:
    """What one user has done so far, and the list that is filling up."""

    rated: set[str] = field(default_factory=set)
    liked: int = 0
    stars: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    count: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    current: list[Rating] = field(default_factory=list)

    def close(self, movies: dict[str, Movie]) -> None:
        for rating in self.current:
            self.rated.add(rating.movie)
            self.liked += rating.stars >= LIKED
            for genre in movies[rating.movie].genres:
                self.stars[genre] += rating.stars
                self.count[genre] += 1
        self.current = []

    def affinity(self, movie: Movie) -> float | None:
        """Give the mean stars that the user gave to the movie's genres."""
        count = sum(self.count.get(genre, 0) for genre in movie.genres)
        return sum(self.stars.get(genre, 0) for genre in movie.genres) / count if count else None


def _rows(
    ratings: list[Rating], movies: dict[str, Movie], size: int, candidates: int, generator: np.random.Generator
) -> Iterator[dict[str, Any]]:
    days: dict[str, set[int]] = defaultdict(set)
    for rating in ratings:
        days[rating.user].add(rating.timestamp // DAY_S)
    viewers: dict[str, _Viewer] = defaultdict(_Viewer)
    past = _Past.empty(list(movies))
    for rating in ratings:
        viewer = viewers[rating.user]
        viewer.current.append(rating)
        if len(viewer.current) == size:
            besides = viewer.rated | {one.movie for one in viewer.current}
            row = _row(viewer, movies, past.drawn(candidates - size, besides, generator), past)
            yield row | {"returned": rating.timestamp // DAY_S + 1 in days[rating.user]}
            for one in viewer.current:
                past.add(one)
            viewer.close(movies)


def _row(viewer: _Viewer, movies: dict[str, Movie], drawn: list[str], past: _Past) -> dict[str, Any]:
    shown = [rating.movie for rating in viewer.current]
    # The candidates are sorted, so that their order doesn't give away which were shown.
    items = sorted([*shown, *drawn])
    timestamp = viewer.current[-1].timestamp
    unknown = [None] * len(items)
    return {
        "request_id": f"{viewer.current[0].user}-{len(viewer.rated)}",
        "user_id": viewer.current[0].user,
        "timestamp": timestamp,
        "user.ratings": float(len(viewer.rated)),
        "user.liked": viewer.liked / max(len(viewer.rated), 1),
        "item_id": items,
        "supply_type": ["video"] * len(items),
        "seller": unknown,
        "category": [movies[item].genres[0] if movies[item].genres else None for item in items],
        "price": unknown,
        "published": [movies[item].published for item in items],
        "group": [0] * len(items),
        "item.ratings": [past.count(item) for item in items],
        "item.stars": [past.mean(item) for item in items],
        "item.affinity": [viewer.affinity(movies[item]) for item in items],
        "shown": [items.index(item) for item in shown],
        "click": [rating.stars >= LIKED for rating in viewer.current],
        "purchase": [False] * len(shown),
        "dwell_s": [0.0] * len(shown),
    }


def _movies(path: Path) -> dict[str, Movie]:
    return {row["movieId"]: _movie(row) for row in _csv(path, {"movieId", "title", "genres"})}


def _movie(row: dict[str, str]) -> Movie:
    genres = tuple(genre for genre in row["genres"].split("|") if not genre.startswith("("))
    year = _YEAR.search(row["title"])
    published = calendar.timegm((int(year[1]), 1, 1, 0, 0, 0)) if year else None
    return Movie(genres, published)


def _ratings(path: Path, movies: dict[str, Movie]) -> Iterator[Rating]:
    for row in _csv(path, {"userId", "movieId", "rating", "timestamp"}):
        if row["movieId"] in movies:
            yield Rating(row["userId"], row["movieId"], float(row["rating"]), int(row["timestamp"]))


def _csv(path: Path, columns: set[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not columns <= set(reader.fieldnames or ()):
                raise LogInvalid(f"{path} doesn't have the columns {', '.join(sorted(columns))}")
            return list(reader)
    except FileNotFoundError as exc:
        raise LogInvalid(f"there is no {path}", hint="unpack a MovieLens archive there") from exc
