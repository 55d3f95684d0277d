from __future__ import annotations

from tests.live.delivery.fleet import fleet
from tests.live.delivery.soak import Soak, SoakConfig

CONFIG = SoakConfig(seconds=12, clients=10, readers=4, activation_every_s=0.25, restarts=1)


async def test_behind_two_servers_nobody_sees_weights_go_back_or_mix_or_missing(tmp_path, postgres_url):
    with fleet(tmp_path, 2, database_url=postgres_url) as servers:
        result = await Soak(servers, CONFIG).run()
    assert result.ledger.examples == []
    assert not result.ledger.violations
    assert result.restarts == 1
    assert result.asked >= CONFIG.seconds / CONFIG.activation_every_s
    assert len(result.ledger.activations) > 10
    assert result.carried > 10
    assert set(result.ledger.sights) == {"client", "kept", "single"}
