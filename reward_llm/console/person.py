"""Who looks at a page, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reward_llm.domain.access import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What `GET /v1/me` says; pages leave out what one may not do, and the interface refuses it all the same."""

    name: str
    kind: str
    signed_in_until: str | None
    permissions: Mapping[str, frozenset[str] | None]
    """The scenarios of each permission, None for all."""

    @classmethod
    def of(cls, me: Mapping[str, Any]) -> Person:
        """The person of that document."""
        held = {
            p["permission"]: None if p["scenarios"] is None else frozenset(p["scenarios"]) for p in me["permissions"]
        }
        return cls(name=me["name"], kind=me["kind"], signed_in_until=me["signed_in_until"], permissions=held)

    def may(self, permission: str, scenario: str | None = None) -> bool:
        """Whether they may do that in a scenario; None is what belongs to none, such as a prompt."""
        if permission not in self.permissions:
            return False
        scenarios = self.permissions[permission]
        return scenarios is None or scenario in scenarios

    def may_somewhere(self, permission: str) -> bool:
        """Whether there is any scenario in which they may do that."""
        return permission in self.permissions

    @property
    def role(self) -> str | None:
        """The lowest role that holds all that they may do somewhere; None for nobody."""
        ranks = {
            Permission.ADMINISTER: "admin",
            Permission.APPROVE: "approver",
            Permission.EDIT: "editor",
            Permission.SUBMIT: "submitter",
            Permission.READ: "viewer",
        }
        return next((role for permission, role in ranks.items() if permission in self.permissions), None)
