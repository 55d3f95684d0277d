"""Runs the examples in the documentation as tests, and times none."""

from __future__ import annotations

from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")

pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"]).pytest()
collect_ignore_glob = ["reward_llm/store/migrations/*"]
