"""The evaluator: click and purchase at every position, satisfaction and retention of the slate."""

from __future__ import annotations

from ranker.evaluator.model import Evaluator, Head, SlateLogits

__all__ = ["Evaluator", "Head", "SlateLogits"]
