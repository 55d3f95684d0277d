"""Problems as pages: what is wrong, what to do, and nothing that was written is lost."""

from __future__ import annotations

import pytest

from tests.api.harness import Setup, assert_problem
from tests.console.harness import Console


@pytest.mark.parametrize(("language", "said"), [("en", "There is nothing here"), ("zh", "这里什么也没有")])
async def test_a_path_without_a_page_says_so(console: Console, language: str, said: str) -> None:
    page = await (await console.browser(language=language)).see("/nowhere")
    assert page.status == 404
    assert said in page.text


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1", "/ofrep/nowhere", "/livez/nowhere"])
async def test_the_interface_says_itself_what_it_doesnt_have(console: Console, path: str) -> None:
    assert_problem(await console.desk.client.get(path), 404, "not_found")


async def test_a_method_that_a_route_doesnt_have_is_still_told_apart(console: Console) -> None:
    assert_problem(await console.desk.client.delete("/v1/goals"), 405, "method_not_allowed")
    assert (await console.desk.client.delete("/goals")).status_code == 405


async def test_a_database_that_is_away_keeps_the_form_to_send_again(console: Console, setup: Setup) -> None:
    ann = await console.browser()
    page = await ann.see("/policies")
    new = await ann.see("/goals/new")
    setup.take_the_store_away()
    failed = await ann.send(new, "/goals", text="Raise GMV by 5%")
    assert failed.status == 503
    assert "The database is away" in failed.text
    assert dict(failed.form("/goals").fields)["text"] == "Raise GMV by 5%"
    setup.bring_the_store_back()
    page = await ann.send(failed, "/goals")
    assert page.path.startswith("/goals/goal_")


async def test_an_address_that_cant_be_used_is_no_crash(console: Console) -> None:
    ann = await console.browser()
    assert (await ann.see("/language/fr")).status == 422
    assert (await ann.see("/goals/%00")).status in {404, 422}
    assert (await ann.see("/goals", cursor="nonsense")).status == 422


async def test_a_form_that_is_too_long_is_refused(console: Console) -> None:
    ann = await console.browser()
    page = await ann.send(await ann.see("/goals/new"), "/goals", text="x" * 400_000)
    assert page.status == 413
    assert "That is too long" in page.text


async def test_part_of_a_page_that_fails_is_told_where_it_is(console: Console) -> None:
    part = await (await console.browser()).part("/goals/goal_none/outcome")
    assert part.status == 404
    assert "There is no such goal" in part.text
