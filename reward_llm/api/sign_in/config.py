"""Which identity provider people sign in with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from reward_llm.api.edge.locations import check_reachable_safely
from reward_llm.domain.session import GroupRoles

CALLBACK: Final = "/v1/sign-in/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInConfig:
    """An OpenID provider, and what its groups may do here."""

    issuer: str
    """The provider's name for itself: a URL, under which it describes itself."""
    client_id: str
    """Its name for this service."""
    public_url: str
    """Where browsers find this service."""
    client_secret: str | None = field(default=None, repr=False)
    """None for a client that the provider knows as public."""
    name_claim: str = "email"
    """What people are called in the audit log; an `email` counts once the provider has verified it."""
    groups_claim: str = "groups"
    scopes: str = "openid email profile"
    roles: GroupRoles = field(default_factory=dict)
    """What the members of a group may do."""
    session_hours: float = 12.0
    """How long a sign-in holds."""
    skew_s: int = 60
    """How far the provider's clock may be from this one."""
    timeout_s: float = 10.0
    """How long the provider may take to answer."""

    def __post_init__(self) -> None:
        """Accept URLs that secrets may travel to.

        Raises:
            ConfigurationInvalid: If the provider or this service is reached over plain http from elsewhere.
        """
        for url in (self.issuer, self.public_url):
            check_reachable_safely(url)

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends browsers back to; it has to know it."""
        return self.public_url.rstrip("/") + CALLBACK
