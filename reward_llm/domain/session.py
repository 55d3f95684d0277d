"""Sessions of people who signed in with an identity provider."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reward_llm.domain.access import Grant, Principal, PrincipalKind, Role
from reward_llm.errors import ConfigurationInvalid

GroupRoles = Mapping[str, tuple[Grant, ...]]
"""What the members of an identity provider's groups may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person, as their identity provider knows them.

    `subject` is the provider's own name for them, which it never gives to anybody else; `name` is the one that people
    know, and the actor of what they do.
    """

    issuer: str
    subject: str
    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person who is signed in; its groups are those that gave them roles when they signed in."""

    id: str
    identity: Identity
    signed_in_at: datetime
    expires_at: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it hasn't expired."""
        return self.signed_in_at <= now < self.expires_at


def fingerprint(secret: str) -> str:
    """What is kept of a session's secret, which is random enough for a plain hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def person(identity: Identity, roles: GroupRoles) -> Principal:
    """Who somebody is here, with what their groups may do."""
    grants = (grant for group in identity.groups for grant in roles.get(group, ()))
    return Principal(name=identity.name, kind=PrincipalKind.PERSON, grants=tuple(dict.fromkeys(grants)))


def group_roles(mapping: Mapping[str, str], scenarios: Iterable[str]) -> GroupRoles:
    """What groups may do, from such as `{"reco-approvers": "approver", "ads": "editor@video_feed viewer"}`.

    Raises:
        ConfigurationInvalid: If a role or a scenario isn't known.
    """
    known = sorted(scenarios)
    return {group: tuple(_grant(text, group, known) for text in roles.split()) for group, roles in mapping.items()}


def _grant(text: str, group: str, scenarios: Sequence[str]) -> Grant:
    name, at, scenario = text.partition("@")
    _check_known("role", name, tuple(Role), group)
    if at:
        _check_known("scenario", scenario, scenarios, group)
    return Grant(role=Role(name), scenario=scenario if at else None)


def _check_known(kind: str, name: str, known: Sequence[str], group: str) -> None:
    if name not in known:
        raise ConfigurationInvalid(
            f"there is no {kind} {name!r}, which the group {group!r} is given", hint=f"There are: {', '.join(known)}."
        )
