"""Signed baselines: the weights that hold when everything else fails, as somebody vouched for them.

home_feed.yaml ─► name and defaults, as canonical JSON ─► Ed25519 ─► home_feed.yaml.sig
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reward_llm.domain.scenario import Scenario
from reward_llm.errors import ConfigurationInvalid
from reward_llm.validation.scenarios import load_scenario
from reward_llm.validation.signatures import sign, verify

_MAX_SIGNATURE_BYTES: Final = 1_000
_HINT: Final = (
    "Look at the file's defaults, and if they are right: `reward-llm scenarios sign FILE --key PRIVATE.pem`. "
    "A file that ships is copied to REWARD_LLM_SCENARIOS_DIR and signed there."
)


def baseline(scenario: Scenario) -> bytes:
    """What is signed: the scenario's name and its defaults, in RFC 8785 canonical JSON."""
    return rfc8785.dumps({"kind": "baseline/1", "scenario": scenario.name, "defaults": dict(scenario.defaults)})


def signature_file(path: Path) -> Path:
    """Where a scenario file's signature is: beside it."""
    return path.with_name(f"{path.name}.sig")


def sign_baseline(path: Path, key: Ed25519PrivateKey) -> Path:
    """Sign a scenario file's baseline, and give the file that holds the signature.

    Raises:
        ScenarioInvalid: If the scenario can't be read.
        ConfigurationInvalid: If the signature can't be written.
    """
    written = signature_file(path)
    signature = sign(key, baseline(load_scenario(path)))
    try:
        written.write_text(f"{signature}\n", "ascii")
    except OSError as exc:
        raise ConfigurationInvalid(f"{written} can't be written: {exc.strerror}") from exc
    return written


def check_baseline(path: Path, scenario: Scenario, key: Ed25519PublicKey) -> None:
    """Accept a scenario whose defaults the key's owner signed.

    Raises:
        ConfigurationInvalid: If the signature is missing or is one of something else.
    """
    signature = _read(signature_file(path))
    if not verify(key, baseline(scenario), signature):
        raise ConfigurationInvalid(f"the baseline of {path} isn't what was signed with this key", hint=_HINT)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SIGNATURE_BYTES).decode("ascii", "replace").strip()
    except OSError as exc:
        raise ConfigurationInvalid(f"no signature can be read from {path}: {exc.strerror}", hint=_HINT) from exc
