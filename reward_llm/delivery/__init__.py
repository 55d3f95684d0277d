"""Serving weights from memory."""

from __future__ import annotations

from reward_llm.delivery.board import Board, BoardConfig

__all__ = ["Board", "BoardConfig"]
