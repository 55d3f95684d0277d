"""What deploy/vllm and `model serve` start vLLM with, against vLLM's own parser."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from reward_llm.generation.vllm_server import VllmBuild, VllmServerConfig, command_line
from tests.service import PROGRAM

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "vllm"
COMPOSE = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("compose*.yaml"))}
SERVICES = [pytest.param(s, id=f"{file}:{n}") for file, c in COMPOSE.items() for n, s in c["services"].items()]
SHARED = ("--structured-outputs-config", "--generation-config", "--enable-prefix-caching")
"""What every server is to be given alike."""
PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser

parser = make_arg_parser(FlexibleArgumentParser(exit_on_error=False))
for arguments in json.load(sys.stdin):
    parser.parse_args(arguments)
"""


def substituted(text: str) -> str:
    """Compose's variables with their defaults, or with an address."""
    return re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda found: found[1] or "10.0.0.1", text)


def arguments_of(words: list[str]) -> list[str] | None:
    """What follows `vllm serve`, or the module that the command line starts; None if it is another command."""
    for end in (["vllm", "serve"], ["-m", "vllm.entrypoints.openai.api_server"]):
        for at in range(len(words) - 1):
            if words[at : at + 2] == end:
                return words[at + 2 :]
    return None


def compose_commands() -> list[list[str]]:
    commands = []
    for document in COMPOSE.values():
        for described in document["services"].values():
            words = [substituted(w) for w in described["command"]]
            commands.append(arguments_of(shlex.split(words[0])) if "entrypoint" in described else words)
    return [c for c in commands if c is not None]


def readme_commands() -> list[list[str]]:
    text = (FOLDER / "README.md").read_text("utf-8").replace("\\\n", " ")
    found = [arguments_of(shlex.split(line)) for line in text.splitlines() if "vllm serve " in line and "--" in line]
    return [c for c in found if c is not None]


def own_commands() -> list[list[str]]:
    described = {"python": Path("python"), "checkpoint": Path("/models/m"), "name": "m", "max_model_len": 4096}
    on_cpu = VllmServerConfig(build=VllmBuild(version="0", cpu=True), **described)
    on_gpus = VllmServerConfig(build=VllmBuild(version="0", cpu=False), gpus=4, **described)
    return [command_line(config)[3:] for config in (on_cpu, on_gpus)]


def test_vllm_knows_every_option_that_it_is_given(vllm_environment):
    commands = [*compose_commands(), *readme_commands(), *own_commands()]
    assert len(commands) >= 7
    done = subprocess.run(
        [vllm_environment, "-c", PARSE], input=json.dumps(commands), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]


def test_every_server_is_given_the_same_rules_for_answers():
    for command in [*compose_commands(), *readme_commands(), *own_commands()]:
        text = " ".join(command).replace("=", " ")
        assert [rule for rule in SHARED if rule not in text] == []
        assert '{"backend":"guidance","disable_any_whitespace":true}' in text


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_reached_on_loopback_or_a_named_address_and_with_a_key(service):
    assert service["environment"]["VLLM_API_KEY"].startswith("${VLLM_API_KEY:?")
    if service.get("network_mode") == "host":
        assert service["environment"]["VLLM_HOST_IP"].startswith("${NODE_IP:?")
        assert "0.0.0.0" not in service["command"][0]  # noqa: S104
    else:
        assert all(port.startswith("${BIND_ADDRESS:-127.0.0.1}:") for port in service["ports"])


def test_the_images_have_the_version_that_is_pinned():
    pins = {
        re.search(r"^vllm[^=]*==(\S+)", f.read_text("utf-8"), re.MULTILINE)[1]
        for f in FOLDER.glob("requirements-*.txt")
    }
    sources = [*FOLDER.glob("compose*.yaml"), *FOLDER.glob("Dockerfile*")]
    images = {tag for f in sources for tag in re.findall(r"vllm/vllm-openai:v(\S+)", f.read_text("utf-8"))}
    assert images == pins


def test_the_unit_starts_what_the_program_knows(vllm_environment):
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(FOLDER / "reward-llm-vllm.service", "utf-8")
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert program.endswith("/reward-llm")
    shown = subprocess.run(
        [*PROGRAM, *arguments, "--print", "--python", str(vllm_environment)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert option_of(shlex.split(shown), "--host") == "127.0.0.1"


def option_of(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]
