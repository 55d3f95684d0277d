"""Who may do what, and where.

A principal holds grants; a grant is a role in one scenario or in all of them; a role is a set of permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from reward_llm.domain.act import EXPERIMENTER, MIGRATOR, SENDER
from reward_llm.domain.source import Source
from reward_llm.errors import Forbidden


class Permission(StrEnum):
    """A kind of thing that a route does."""

    READ = "read"
    AUDIT = "audit"
    SUBMIT = "submit"
    EDIT = "edit"
    APPROVE = "approve"
    ADMINISTER = "administer"


class Role(StrEnum):
    """What somebody is; each may do all that the one before may."""

    VIEWER = "viewer"
    SUBMITTER = "submitter"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


_VIEWER: Final = frozenset({Permission.READ, Permission.AUDIT})
_SUBMITTER: Final = _VIEWER | {Permission.SUBMIT}
_EDITOR: Final = _SUBMITTER | {Permission.EDIT}
_APPROVER: Final = _EDITOR | {Permission.APPROVE}

ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.SUBMITTER: _SUBMITTER,
        Role.EDITOR: _EDITOR,
        Role.APPROVER: _APPROVER,
        Role.ADMIN: frozenset(Permission),
    }
)


class AccessMode(StrEnum):
    """Whom the service lets in: everybody, as whoever they say they are, or those who prove it."""

    OPEN = "open"
    TOKENS = "tokens"


class PrincipalKind(StrEnum):
    """How a principal is known."""

    ANONYMOUS = "anonymous"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role in a scenario; in all of them, and in what belongs to none, if `scenario` is None."""

    role: Role
    scenario: str | None = None

    def covers(self, permission: Permission, scenario: str | None) -> bool:
        """Whether it allows that there; what belongs to no scenario is None."""
        return permission in ROLE_PERMISSIONS[self.role] and self.scenario in {None, scenario}

    def __str__(self) -> str:
        return self.role.value if self.scenario is None else f"{self.role.value}@{self.scenario}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody, or some program, that asks for something; `name` is the actor of what they do."""

    name: str
    kind: PrincipalKind
    grants: tuple[Grant, ...] = ()

    def may(self, permission: Permission, scenario: str | None) -> bool:
        """Whether they may do that in a scenario; None is what belongs to none, such as a prompt."""
        return any(g.covers(permission, scenario) for g in self.grants)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether there is anything that they may do that to."""
        return any(permission in ROLE_PERMISSIONS[g.role] for g in self.grants)

    def scenarios(self, permission: Permission) -> frozenset[str] | None:
        """The scenarios in which they may do that; None for all."""
        if self.may(permission, None):
            return None
        held = [g for g in self.grants if permission in ROLE_PERMISSIONS[g.role]]
        return frozenset(g.scenario for g in held if g.scenario is not None)

    def require(self, permission: Permission, scenario: str | None) -> None:
        """Accept what they may do.

        Raises:
            Forbidden: If they may not do that there.
        """
        if not self.may(permission, scenario):
            raise self.refusal(permission, scenario)

    def refusal(self, permission: Permission, scenario: str | None) -> Forbidden:
        """What is answered to something that they may not do."""
        where = "in all scenarios" if scenario is None else f"in {scenario!r}"
        least = next(r for r in Role if permission in ROLE_PERMISSIONS[r])
        return Forbidden(
            f"{self.name} may not {permission.value} {where}",
            hint=f"That takes the role {least.value} {where}, or a higher one.",
        )


ANONYMOUS: Final = "anonymous"
RESERVED_NAMES: Final = frozenset({ANONYMOUS, EXPERIMENTER, MIGRATOR, SENDER, *Source})
"""Names that stand in the audit log for nobody in particular, and for the service's own work."""
EVERYBODY: Final = Principal(name=ANONYMOUS, kind=PrincipalKind.ANONYMOUS, grants=(Grant(role=Role.ADMIN),))
"""Who calls a service that is open: whoever they say they are, with every permission."""
NOBODY: Final = Principal(name=ANONYMOUS, kind=PrincipalKind.ANONYMOUS)
"""Who calls without having proved anything."""
