"""Who asks isn't let in, or isn't let do that."""

from __future__ import annotations

from reward_llm.errors.root import RewardLLMError


class Unauthenticated(RewardLLMError):
    """Who asks isn't known: no credentials, or some that don't hold (any more)."""

    code = "unauthenticated"


class SignInFailed(Unauthenticated):
    """A sign-in that ended without a person."""

    code = "sign_in_failed"


class Forbidden(RewardLLMError):
    """Who asks is known, and may not do that."""

    code = "forbidden"


class CrossSiteRefused(Forbidden):
    """A write that another site's page had a browser send."""

    code = "cross_site_refused"


class RateLimited(RewardLLMError):
    """More requests than are allowed in a minute; `retry_after_s` is how long to wait."""

    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class ProviderUnavailable(RewardLLMError):
    """The identity provider can't be reached, or doesn't answer as it should."""

    code = "provider_unavailable"
    retryable = True
