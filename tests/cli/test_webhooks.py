import json

import pytest

URL = "https://hooks.invalid/in"


@pytest.fixture
def webhook(client):
    return json.loads(client("webhooks", "create", URL, "--action", "thing.", "--json").out)


def test_a_webhook_is_made_shown_and_listed_and_its_secret_is_shown_once(client):
    made = client("webhooks", "create", URL, "--action", "thing.", "--scenario", "home_feed", "--reason", "wall")
    assert made.code == 0
    assert "secret: whsec_" in made.out
    listed = json.loads(client("webhooks", "--json").out)["items"]
    shown = client("webhooks", "show", listed[0]["id"])
    assert "told of thing. in home_feed · active · revision 1" in shown.out
    assert "whsec_" not in shown.out + json.dumps(listed)
    assert listed[0]["id"] in client("webhooks", "list").out


def test_a_change_keeps_what_isnt_named(client, webhook):
    changed = client("webhooks", "change", webhook["id"], "--inactive", "--reason", "no longer needed", "--json")
    after = json.loads(changed.out)
    assert (after["active"], after["actions"], after["revision"]) == (False, ["thing."], 2)
    everywhere = client("webhooks", "change", webhook["id"], "--scenario", "home_feed", "--active")
    assert "in home_feed · active · revision 3" in everywhere.out
    assert json.loads(client("webhooks", "change", webhook["id"], "--scenario", "", "--json").out)["scenario"] is None


def test_a_rotation_shows_the_new_secret(client, webhook):
    rotated = client("webhooks", "rotate", webhook["id"], "--overlap-hours", "1")
    assert "signs as well until" in rotated.out
    assert "secret: whsec_" in rotated.out
    assert webhook["secret"] not in rotated.out


def test_a_test_is_on_its_way_and_can_be_sent_again(client, webhook):
    sent = client("webhooks", "test", webhook["id"])
    assert f"is on its way to {webhook['id']}" in sent.out
    (delivery,) = json.loads(client("webhooks", "deliveries", webhook["id"], "--json").out)["items"]
    assert delivery["action"] == "webhook.tested"
    assert delivery["id"] in client("webhooks", "deliveries", webhook["id"], "--state", "pending").out
    again = client("webhooks", "redeliver", delivery["id"], "--json")
    assert again.code == 0 or "is being sent" in again.err


def test_a_private_address_is_refused_with_what_would_allow_it(client):
    refused = client("webhooks", "create", "https://10.0.0.1/in")
    assert refused.code == 1
    assert "REWARD_LLM_WEBHOOKS_ALLOW_PRIVATE" in refused.err


def test_an_unknown_webhook_is_refused(client):
    assert client("webhooks", "show", "whk_none").code == 1
    assert client("webhooks", "redeliver", "dlv_none").code == 1
