"""Keys and signed checkpoints of the audit log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json
from reward_llm.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from reward_llm.domain.audit import Checkpoint


def keygen(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", file_okay=False, help="Where both go.")] = Path(),
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a pair of Ed25519 keys: audit-private.pem signs, audit-public.pem checks; nothing is overwritten."""
    from reward_llm.validation.signatures import fingerprint, write_key_pair

    private, public = folder / "audit-private.pem", folder / "audit-public.pem"
    name = fingerprint(write_key_pair(private, public))
    if as_json:
        print_json({"private": str(private), "public": str(public), "fingerprint": name})
        return
    console().print(f"Made {private} and {public} (key {name}).", soft_wrap=True)
    console().print("Keep the private one where only the service reads it, and give the other to who verifies.")


def checkpoint(*, as_json: JsonOption = False) -> None:
    """Sign where the audit log ends now, unless that is signed already."""
    from reward_llm import bootstrap

    made = bootstrap.sign_checkpoint(bootstrap.load_settings())
    if as_json:
        print_json(made.document if made else None)
    elif made:
        console().print(f"Signed record {made.sequence} (sha256:{made.hash}).", soft_wrap=True)
    else:
        console().print("The end of the log is signed already.")


def genuine_checkpoints(where: str | None, key: Path | None) -> list[Checkpoint]:
    """The checkpoints of a place, each with its signature checked; none if there is no place.

    Raises:
        ConfigurationInvalid: If only one of the two is given, or can't be used.
        SignatureInvalid: If one isn't signed with the key.
        CheckpointsUnavailable: If they can't be read.
    """
    from reward_llm.store.checkpoint_places import open_checkpoints
    from reward_llm.store.notary import SignedCheckpoints
    from reward_llm.validation.signatures import load_public_key

    if where is None and key is None:
        return []
    if where is None or key is None:
        raise ConfigurationInvalid("checkpoints are checked with a key", hint="Give both --checkpoints and --key.")
    found = asyncio.run(SignedCheckpoints(open_checkpoints(where), load_public_key(key)).all())
    if not found:
        raise ConfigurationInvalid(f"there are no checkpoints in {where}")
    return found
