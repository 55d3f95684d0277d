"""Who one is, and what one may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.access import AccessMode, Permission, Principal, PrincipalKind, Role
from reward_llm.domain.session import Session


class GrantWire(Outgoing):
    """A role, and where it is held."""

    role: Role
    scenario: str | None = Field(description="Null for all scenarios, and for what belongs to none.")


class PermissionWire(Outgoing):
    """Something that one may do, and where."""

    permission: Permission
    scenarios: list[str] | None = Field(description="Null for all scenarios, and for what belongs to none.")


class MeWire(Outgoing):
    """Who asks."""

    name: str = Field(description="The actor of what one does, in the audit log.", examples=["ann@shop.example"])
    kind: PrincipalKind
    access: AccessMode
    grants: list[GrantWire]
    permissions: list[PermissionWire]
    signed_in_until: MomentOut | None = Field(default=None, description="Null for tokens.")

    @classmethod
    def of(cls, principal: Principal, access: AccessMode, session: Session | None) -> MeWire:
        """The principal, signed in with the session if there is one."""
        return cls(
            name=principal.name,
            kind=principal.kind,
            access=access,
            grants=[GrantWire(role=g.role, scenario=g.scenario) for g in principal.grants],
            permissions=[PermissionWire(**_held(principal, p)) for p in Permission if principal.may_somewhere(p)],
            signed_in_until=session.expires_at if session else None,
        )


def _held(principal: Principal, permission: Permission) -> Mapping[str, Any]:
    scenarios = principal.scenarios(permission)
    return {"permission": permission, "scenarios": None if scenarios is None else sorted(scenarios)}
