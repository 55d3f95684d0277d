import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reward_llm.cli.client import Client
from reward_llm.errors import ServiceRefused, ServiceUnavailable

STEP = {"done": 1, "of": 2}
PROBLEM = {"title": "Evaluation timeout", "detail": "it took too long", "code": "evaluation_timeout", "hint": "wait"}


@contextmanager
def service(*lines: object) -> Iterator[Client]:
    """A service that answers one request with these lines."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("Content-Type", self.headers["accept"])
            self.end_headers()
            self.wfile.writelines(json.dumps(line).encode() + b"\n" for line in lines)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield Client(f"http://127.0.0.1:{server.server_port}")
        thread.join()


def test_the_steps_are_told_and_the_result_is_given():
    told = []
    with service(STEP, {"result": {"score": 1.0}}) as client:
        answer = client.follow("x", document={}, on_progress=lambda *step: told.append(step))
    assert (told, answer) == ([(1, 2)], {"score": 1.0})


def test_a_problem_on_the_way_is_one_as_any_other():
    with service(STEP, {"problem": PROBLEM}) as client, pytest.raises(ServiceRefused) as refused:
        client.follow("x", document={}, on_progress=lambda *_: None)
    assert (refused.value.message, refused.value.hint) == ("it took too long", "wait")


def test_an_answer_that_breaks_off_is_no_result():
    with service(STEP) as client, pytest.raises(ServiceUnavailable, match="broke off"):
        client.follow("x", document={}, on_progress=lambda *_: None)


def test_a_service_that_is_away_is_said_to_be_away():
    with pytest.raises(ServiceUnavailable, match="can't be reached"):
        Client("http://127.0.0.1:9").follow("x", document={}, on_progress=lambda *_: None)
