from __future__ import annotations

import json

from tests.console.harness import Console
from tests.console.test_policies import in_force


async def test_the_log_is_read_filtered_and_followed_to_a_record(console: Console) -> None:
    policy = await in_force(console.desk)
    await console.desk.submit()
    ann = await console.browser()
    page = await ann.see("/audit")
    for said in ("Goal read", "Goal submitted", "Policy activated", "Weights set by hand", "weekend sale"):
        assert said in page.text
    page = await ann.see("/audit", action="policy.", subject=policy["policy_id"])
    assert "Goal read" not in page.text.split("Why")[-1]
    page = await ann.see("/audit", since="2026-06-18T12:00", until="2026-06-18T12:01")
    assert "Weights set by hand" in page.text
    assert "Goal submitted" not in page.text
    page = await ann.see("/audit", actor="nobody")
    assert "Nothing fits these filters" in page.text


async def test_a_record_shows_every_value_before_and_after(console: Console) -> None:
    await in_force(console.desk)
    change = {"If-Match": '"1"'}
    await console.desk.client.patch("/v1/activations/1", json={"percent": 25}, headers=change)
    ann = await console.browser()
    page = await ann.see("/audit/3")
    assert "activations/1" in page.text
    assert "percent 100.0 25.0" in page.text
    record = (await console.desk.client.get("/v1/audit/3")).json()
    for value in (record["hash"], record["previous_hash"], record["request_id"]):
        assert value in page.text
    assert {"/audit/2", "/audit/4"} <= set(page.links)
    page = await ann.see("/audit/1")
    assert "–" in page.text
    assert "/audit/0" not in page.links


async def test_the_log_is_verified(console: Console) -> None:
    await in_force(console.desk)
    page = await (await console.browser()).see("/audit/verification")
    assert "The log is what was written" in page.text
    assert "2 records are good." in page.text
    assert "There are none." in page.text


async def test_the_log_is_exported_as_the_interface_gives_it(console: Console) -> None:
    await in_force(console.desk)
    ann = await console.browser()
    page = await ann.see("/audit/export", file="jsonl")
    assert page.response.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'
    assert [json.loads(line)["sequence"] for line in page.html.splitlines()] == [1, 2]
    assert page.html == (await console.desk.client.get("/v1/audit/export")).text
    assert (await ann.see("/audit/export", file="csv")).html.startswith('\ufeff"sequence"')


async def test_a_long_log_pages(console: Console) -> None:
    for _ in range(51):
        await console.desk.edit()
    ann = await console.browser()
    page = await ann.see("/audit", scenario="home_feed")
    further = next(link for link in page.links if "cursor=" in link)
    page = await ann.see(further)
    assert [link for link in page.links if link.startswith("/audit/") and link[7:].isdigit()] == ["/audit/1"]
    assert "scenario=home_feed" in further


async def test_an_empty_log_says_so(console: Console) -> None:
    assert "Every change leaves a record here." in (await (await console.browser()).see("/audit")).text
