"""Telling other programs of what is put on record."""

from __future__ import annotations

from reward_llm.delivery.webhooks.addresses import PublicAddresses
from reward_llm.delivery.webhooks.dispatcher import Dispatcher, DispatcherConfig
from reward_llm.delivery.webhooks.sender import Sender, SenderConfig
from reward_llm.delivery.webhooks.signing import REPLAY_WINDOW, signed_headers, verify

__all__ = [
    "REPLAY_WINDOW",
    "Dispatcher",
    "DispatcherConfig",
    "PublicAddresses",
    "Sender",
    "SenderConfig",
    "signed_headers",
    "verify",
]
