from __future__ import annotations

from tests import databases
from tests.live.delivery.following import BEATS, followed
from tests.network import FaultyProxy
from tests.service import service


def test_while_the_database_is_away_clients_have_the_last_weights_and_say_how_old(
    tmp_path, postgres_url, unused_tcp_port
):
    name = postgres_url.rpartition("/")[2]
    settings = {**BEATS, "database_url": postgres_url, "stale_after_s": "1"}
    with (
        service(tmp_path, unused_tcp_port, **settings) as running,
        FaultyProxy(unused_tcp_port) as proxy,
        followed(proxy, running.http) as client,
    ):
        old, new = client.served, client.prepared()
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        databases.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name)
        refused = running.http.post(f"/v1/policies/{new.policy_id}/activation", json={})
        assert refused.status_code == 503
        client.goes_stale_with(old)
        client.streams()
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        client.gets(old)
        client.gets(client.change())
