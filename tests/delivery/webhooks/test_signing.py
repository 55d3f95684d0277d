from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from reward_llm.delivery.webhooks import REPLAY_WINDOW, signed_headers, verify
from reward_llm.domain.webhooks import secret_of
from reward_llm.errors import WebhookSignatureInvalid
from tests.webhooks import NEW_SECRET, SECRET

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
BODY = '{"type":"reward-llm.goal.received","data":"目标"}'.encode()


@given(st.binary(min_size=24, max_size=64), st.from_regex(r"\Aevt_[0-9a-f]{20}\Z"), st.text())
def test_the_standard_s_own_library_accepts_our_signatures(entropy: bytes, event_id: str, text: str) -> None:
    body = base64.b64encode(text.encode("utf-8", "backslashreplace"))
    headers = signed_headers([secret_of(entropy)], event_id, datetime.now(UTC), body)
    Webhook(secret_of(entropy)).verify(body, headers, json_parse=False)


def test_ours_accepts_the_standard_library_s_signatures() -> None:
    signature = Webhook(SECRET).sign("evt_1", NOON, BODY.decode())
    sent = {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(int(NOON.timestamp())), "Webhook-Signature": signature}
    assert verify(sent, BODY, [SECRET], NOON) == "evt_1"


def test_while_two_secrets_sign_a_receiver_may_have_either() -> None:
    headers = signed_headers([NEW_SECRET, SECRET], "evt_1", datetime.now(UTC), BODY)
    for secret in (SECRET, NEW_SECRET):
        Webhook(secret).verify(BODY, headers)
        assert verify(headers, BODY, [secret], datetime.now(UTC)) == "evt_1"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(NOON.timestamp()) + 1)},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-id": ""},
        {"webhook-timestamp": "noon"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "²"},
    ],
)
def test_what_was_changed_on_the_way_is_refused(changed: dict[str, str]) -> None:
    headers = signed_headers([SECRET], "evt_1", NOON, BODY)
    with pytest.raises(WebhookSignatureInvalid):
        verify(headers | changed, BODY, [SECRET], NOON)


def test_another_body_or_secret_is_refused() -> None:
    headers = signed_headers([SECRET], "evt_1", NOON, BODY)
    with pytest.raises(WebhookSignatureInvalid, match="no signature fits"):
        verify(headers, BODY + b" ", [SECRET], NOON)
    with pytest.raises(WebhookSignatureInvalid, match="no signature fits"):
        verify(headers, BODY, [NEW_SECRET], NOON)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW_SECRET).verify(BODY, signed_headers([SECRET], "evt_1", datetime.now(UTC), BODY))


@pytest.mark.parametrize("late", [REPLAY_WINDOW, -REPLAY_WINDOW])
def test_a_signature_outside_the_window_is_a_replay(late: timedelta) -> None:
    headers = signed_headers([SECRET], "evt_1", NOON, BODY)
    assert verify(headers, BODY, [SECRET], NOON + late) == "evt_1"
    with pytest.raises(WebhookSignatureInvalid, match="too old"):
        verify(headers, BODY, [SECRET], NOON + late + timedelta(seconds=1) * (1 if late > timedelta() else -1))


def test_a_secret_that_is_no_base64_signs_nothing() -> None:
    with pytest.raises(WebhookSignatureInvalid, match="base64"):
        signed_headers(["whsec_?"], "evt_1", NOON, BODY)
