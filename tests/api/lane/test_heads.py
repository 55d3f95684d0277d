"""A head that is found says what reading it says."""

from __future__ import annotations

import httptools
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.api.lane.heads import MOST_BYTES, Heads
from reward_llm.api.lane.request import Asked, understood_url
from tests.api.lane.sockets import get

LIMIT_BYTES = 200
HERE = "/v1/weights/home_feed"


class Reader:
    """What httptools tells of a head."""

    def __init__(self) -> None:
        self.url, self.headers, self.is_whole = b"", [], False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_message_complete(self) -> None:
        self.is_whole = True


def read(head: bytes, limit_bytes: int = LIMIT_BYTES) -> Asked | None:
    """What a head asks for, read from its first byte to its last; None if that is for the application to say."""
    reader = Reader()
    try:
        httptools.HttpRequestParser(reader).feed_data(head)
    except httptools.HttpParserError:
        return None
    return understood_url(reader.url, reader.headers, limit_bytes) if reader.is_whole else None


_UNITS = st.text("aZ9_.~-", min_size=1, max_size=3) | st.sampled_from(["", "a+b", "%41", "a=b", "x" * 200, "x" * 201])
_PARTS = _UNITS.map(lambda u: f"unit={u}") | st.sampled_from(
    ["segment=a", "segment=unit=a", "segment=xunit=a", "scenario=?unit=a", "segment=?unit=a", "subunit=a", "unit", ""]
)
_PATHS = st.sampled_from([HERE, "/v1/weights", "/v1/weights/unit=a", "/v1/weights/a&unit=a", "/v1/weightsunit=a"])
_URLS = st.builds(lambda path, parts: f"{path}?{'&'.join(parts)}", _PATHS, st.lists(_PARTS, max_size=3))
_FIELDS = st.sampled_from(
    [
        "X: unit=a",
        "X: GET /v1/weights?unit=a ",
        "If-None-Match: x",
        "Weights-At-Least: 1",
        "X-Forwarded-For: a",
        "Y: z",
    ]
)
_HEADS = st.builds(lambda url, fields: get(url, *fields), _URLS, st.lists(_FIELDS, max_size=2, unique=True))


@given(before=st.lists(_HEADS, max_size=4), head=_HEADS)
def test_what_is_found_is_what_reading_says(before: list[bytes], head: bytes) -> None:
    heads = Heads(LIMIT_BYTES)
    for kept in before:
        if (asked := read(kept)) is not None:
            heads.keep(kept, asked)
    found = heads.find(head)
    assert found is None or found == read(head)


@given(units=st.tuples(_UNITS, _UNITS), field=_FIELDS)
def test_what_is_found_of_one_unit_by_another_is_what_reading_says(units: tuple[str, str], field: str) -> None:
    one, other = (get(f"{HERE}?segment=a&unit={u}&scenario=b", "Host: a", field) for u in units)
    heads = Heads(LIMIT_BYTES)
    if (asked := read(one)) is not None:
        heads.keep(one, asked)
    found = heads.find(other)
    assert found is None or found == read(other)


def test_a_head_is_found_again_and_with_other_units() -> None:
    heads = Heads(16_384)
    for head in (get(HERE), get(f"{HERE}?segment=a&unit=ann")):
        asked = read(head)
        assert heads.find(head) is None
        assert asked is not None
        heads.keep(head, asked)
        assert heads.find(head) == asked
    bob = heads.find(get(f"{HERE}?segment=a&unit=bob"))
    assert bob is not None
    assert (bob.unit, bob.key) == ("bob", asked.key)
    assert len(heads) == 2


def test_a_field_that_names_a_unit_as_well_has_a_head_read_each_time() -> None:
    heads, head = Heads(16_384), get(f"{HERE}?unit=ann", "Referer: unit=ann")
    asked = read(head)
    assert asked is not None
    heads.keep(head, asked)
    assert heads.find(head) is None


def test_a_url_that_httptools_takes_is_parted_as_httptools_parts_it() -> None:
    for tail in ("", "?", "/a?b?c", "?a=%23", "/%3f?unit=a", "/a;b?c&d", "//x", "/a\\b?c", "?\\^`{|}"):
        url = b"/v1/weights" + tail.encode()
        parted = httptools.parse_url(url)
        assert url.partition(b"?")[::2] == (parted.path, parted.query or b"")


def test_large_heads_are_not_kept() -> None:
    heads, head = Heads(16_384), get(HERE, "X: " + "x" * MOST_BYTES)
    asked = read(head, 16_384)
    assert asked is not None
    heads.keep(head, asked)
    assert len(heads) == 0


def test_the_oldest_gives_way() -> None:
    heads = Heads(16_384, most=2)
    for number in range(4):
        head = get(HERE, f"X: {number}")
        asked = read(head)
        assert asked is not None
        heads.keep(head, asked)
    assert len(heads) == 2
    assert heads.find(get(HERE, "X: 1")) is None
    assert heads.find(get(HERE, "X: 3")) is not None
