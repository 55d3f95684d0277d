from __future__ import annotations

import random

from reward_llm.delivery.sdk import WeightsClient
from tests.delivery.sdk.scripted import scripted, until


def test_random_numbers_of_its_user_are_left_alone() -> None:
    with scripted() as service:
        service.stop()
        before = random.getstate()
        with WeightsClient(service.url, poll_s=0.1) as client:
            until(lambda: client.health().last_error is not None)
            service.start()
            assert client.wait_ready(30)
        assert random.getstate() == before
