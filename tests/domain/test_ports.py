"""Ports are loaded when somebody asks for them, and all are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reward_llm import bootstrap
from reward_llm.domain import ports


@pytest.mark.parametrize("package", [ports, bootstrap], ids=["ports", "bootstrap"])
def test_every_name_can_be_had(package):
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = package.Nothing


def test_a_port_that_nobody_asks_for_is_not_loaded():
    script = (
        "import sys; from reward_llm.domain.ports import Clock, WeightsBoard; "
        "print('reward_llm.domain.ports.board' in sys.modules, 'reward_llm.domain.ports.prompts' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
