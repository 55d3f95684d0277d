"""The shipped goal model behind a real vLLM, through the client and through the service."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import jsonschema
import pytest

from reward_llm import bootstrap
from reward_llm.domain.completion import CompletionRequest, Message, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Source, default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.errors import AnswerTruncated, ModelError
from reward_llm.generation.clients.vllm import VllmConfig, VllmModel
from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import CALIBRATION
from reward_llm.validation.schemas import intents_schema
from tests.live.test_goal_model import EXAMPLES
from tests.service import Service, service
from tests.strategies import HOME_FEED

TEXTS = [json.loads(line)["goal"] for line in EXAMPLES.read_text("utf-8").splitlines()]
LEAST_SAME = 0.95
"""The share of the model's own answers that vLLM and the embedded client give letter by letter the same; it was all.

Where the embedded client takes the lexicon's answer over, which vLLM's doesn't, there is no own one of it.
"""
DEADLINE_S = 10.0
PATIENCE_S = 30.0
"""What a loaded machine may add to a deadline."""


@pytest.fixture
async def client(vllm):
    model = VllmModel(VllmConfig(base_url=f"{vllm.url}/v1", vocabulary=Vocabulary.CONCEPTS))
    yield model
    await model.aclose()


@asynccontextmanager
async def reading(**settings):
    """Reads a text into a proposal, with the reader that the settings name."""
    chosen = bootstrap.load_settings(deadline_s=120, **settings)
    model, now = bootstrap.build_model(chosen), bootstrap.now()
    proposer = bootstrap.build_proposer(chosen, model)

    async def read(text: str):
        goal = Goal(id="g", scope=Scope("home_feed"), text=text, submitted_at=now)
        return await proposer.propose(goal, HOME_FEED, default_policy(HOME_FEED, None, now))

    try:
        yield read
    finally:
        await model.aclose()


def request(schema, text="Raise CTR by 10%", **options) -> CompletionRequest:
    return CompletionRequest(messages=(Message("user", text),), schema=schema, deadline_s=120, **options)


def answers_of(proposals) -> list[str | None]:
    return [p.provenance.attempts[-1].raw_answer for p in proposals]


def test_it_says_how_the_service_uses_it(vllm):
    expected = {"backend": "vllm", "vllm_url": f"{vllm.url}/v1", "vocabulary": "concepts"}
    if (checkpoint_dir() / CALIBRATION).is_file():
        expected["calibration"] = str(checkpoint_dir() / CALIBRATION)
    assert vllm.settings == expected


def test_it_listens_on_loopback_alone(vllm):
    sockets = {link for pid in vllm.processes() for link in links_of(Path(f"/proc/{pid}/fd"))}
    rows = [r.split() for t in ("tcp", "tcp6") for r in Path(f"/proc/net/{t}").read_text("ascii").splitlines()[1:]]
    addresses = {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}
    assert addresses == {"0100007F"}


def links_of(folder: Path) -> list[str]:
    links = []
    for entry in folder.iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return links


async def test_however_wildly_it_is_sampled_an_answer_follows_the_schema(client):
    schema = intents_schema(HOME_FEED, Vocabulary.CONCEPTS)
    del schema["properties"]["rationale"]
    schema["required"].remove("rationale")
    schema["properties"]["priority"] = {"type": "integer", "minimum": 0, "maximum": 100}
    schema["required"].append("priority")
    asked = [client.complete(request(schema, temperature=2.0, seed=seed)) for seed in range(8)]
    texts = [completion.text for completion in await asyncio.gather(*asked)]
    for text in texts:
        jsonschema.validate(json.loads(text), schema)
    assert len(set(texts)) > 1


async def test_a_schema_that_it_cannot_enforce_is_refused_and_the_next_request_answered(client):
    numbers = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    with pytest.raises(ModelError, match="refused the request") as caught:
        await client.complete(request(numbers))
    assert type(caught.value) is ModelError
    assert not caught.value.retryable
    assert (await client.complete(request({"type": "string", "enum": ["yes"]}))).text == '"yes"'


async def test_an_answer_that_is_cut_off_is_an_error(client):
    with pytest.raises(AnswerTruncated):
        await client.complete(request(intents_schema(HOME_FEED, Vocabulary.CONCEPTS), max_tokens=3))


async def test_eight_goals_at_once_are_read_as_one_after_the_other(vllm):
    async with reading(**vllm.settings) as read:
        one_by_one = [await read(text) for text in TEXTS[:8]]
        at_once = await asyncio.gather(*(read(text) for text in TEXTS[:8]))
    assert {p.source for p in at_once} == {Source.VLLM}
    assert [p.weights for p in at_once] == [p.weights for p in one_by_one]
    assert answers_of(at_once) == answers_of(one_by_one)


async def test_it_answers_as_the_embedded_client_does(vllm):
    async with reading(**vllm.settings) as served, reading(backend="embedded") as embedded:
        pairs = [(await served(text), await embedded(text)) for text in TEXTS]
    pairs = [(s, e) for s, e in pairs if "read_by_both" not in {n.code for n in e.interpretation.notices}]
    answers, expected = (answers_of(side) for side in zip(*pairs, strict=True))
    same = [a == e for a, e in zip(answers, expected, strict=True) if a is not None or e is not None]
    assert len(same) >= len(TEXTS) / 2, "the model was hardly asked"
    assert sum(same) >= LEAST_SAME * len(same), f"only {sum(same)} of {len(same)}"


async def test_it_is_as_sure_as_the_embedded_client(vllm):
    async with reading(**vllm.settings) as served, reading(backend="embedded") as embedded:
        pairs = [(await served(text), await embedded(text)) for text in TEXTS]
    compared = 0
    for one, other in pairs:
        if answers_of([one]) == answers_of([other]) != [None]:
            assert one.interpretation.calibrated == other.interpretation.calibrated
            assert confidences(one) == pytest.approx(confidences(other), abs=0.05)
            compared += 1
    assert compared >= len(TEXTS) / 2


def confidences(proposal) -> list[float]:
    """Those of the intents, and of their being all."""
    intents = [i.confidence for i in proposal.interpretation.intents]
    return [*intents, proposal.interpretation.completeness]


async def test_the_second_of_two_like_prompts_is_read_from_the_cache(vllm, client):
    text = "Raise the click-through rate of the home feed. " * 60
    asked = request({"type": "string", "enum": ["yes"]}, text)
    await client.complete(asked)
    before = cached_tokens(vllm)
    await client.complete(asked)
    assert cached_tokens(vllm) > before


def cached_tokens(vllm) -> float:
    exposition = httpx.get(f"{vllm.url}/metrics", trust_env=False).text
    found = re.search(r"^vllm:prefix_cache_hits_total\{[^}]*\} (\S+)$", exposition, re.MULTILINE)
    return float(found[1])


@pytest.fixture
def running(vllm, tmp_path, unused_tcp_port):
    """The service, its goals read by vLLM."""
    with service(tmp_path, unused_tcp_port, deadline_s=str(DEADLINE_S), **vllm.settings) as running:
        assert submit(running, TEXTS[0])["proposal"]["source"] == "vllm"
        yield running


def submit(running: Service, text: str) -> dict:
    answer = running.http.post("/v1/goals", json={"scenario": "home_feed", "text": text})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return answer.json()


def submit_in_background(running: Service, pool: ThreadPoolExecutor, texts: list[str]) -> list[Future[dict]]:
    """Submit them at once, and return when all are on record and none is read."""
    before = len(listed(running))
    answers = [pool.submit(submit, running, text) for text in texts]
    deadline = time.monotonic() + PATIENCE_S
    while len(listed(running)) < before + len(texts):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answers


def listed(running: Service) -> list[dict]:
    return running.http.get("/v1/goals").json()["items"]


def model_is_ready(running: Service) -> bool:
    return running.http.get("/readyz").json()["checks"]["model"]["ok"]


def test_while_vllm_hangs_goals_are_read_by_rules_within_the_deadline_and_by_vllm_afterwards(vllm, running):
    vllm.signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(4) as pool:
            began = time.monotonic()
            answers = [a.result() for a in submit_in_background(running, pool, TEXTS[:4])]
            seconds = time.monotonic() - began
        assert not model_is_ready(running)
    finally:
        vllm.signal(signal.SIGCONT)
    for answer in answers:
        assert answer["proposal"]["source"] in {"rules", "default"}
        assert answer["proposal"]["reason"].startswith("model_timeout")
    assert seconds < DEADLINE_S + PATIENCE_S
    assert model_is_ready(running)
    assert [submit(running, text)["proposal"]["source"] for text in TEXTS[:2]] == ["vllm", "vllm"]


def test_goals_that_vllm_dies_of_are_read_by_rules_and_the_next_ones_by_its_successor(vllm, running):
    vllm.signal(signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        answers = submit_in_background(running, pool, TEXTS[:4])
        vllm.signal(signal.SIGKILL)
        proposals = [a.result()["proposal"] for a in answers]
    assert vllm.ended() == 128 + signal.SIGKILL
    assert vllm.processes() == []
    proposals.append(submit(running, TEXTS[4])["proposal"])
    for proposal in proposals:
        assert proposal["source"] in {"rules", "default"}
        assert proposal["reason"].startswith("model_unavailable")
    assert not model_is_ready(running)

    vllm.start()
    assert model_is_ready(running)
    assert [submit(running, text)["proposal"]["source"] for text in TEXTS[:2]] == ["vllm", "vllm"]
