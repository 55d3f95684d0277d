"""What was sent can't be used."""

from __future__ import annotations

from reward_llm.errors.root import RewardLLMError


class InvalidInput(RewardLLMError):
    """What was sent can't be used."""

    code = "invalid_input"


class BodyMalformed(InvalidInput):
    """A request's body that isn't one JSON document in UTF-8."""

    code = "body_malformed"


class BodyTooLarge(InvalidInput):
    """A request's body over the limit."""

    code = "body_too_large"


class BodyTooSlow(InvalidInput):
    """A request's body that took too long to arrive."""

    code = "body_too_slow"


class HeadersTooLarge(InvalidInput):
    """A request's header fields over the limit."""

    code = "headers_too_large"


class HostUnknown(InvalidInput):
    """A request for a host that isn't this service."""

    code = "host_unknown"


class ContextInvalid(InvalidInput):
    """An evaluation context that can't be used."""

    code = "context_invalid"


class GoalInvalid(InvalidInput):
    """A goal that can't be read at all: empty, too long, a window that ends before it starts."""

    code = "goal_invalid"


class WeightsInvalid(InvalidInput):
    """Weights off the simplex or over other utilities than the scenario's."""

    code = "weights_invalid"


class RankingInvalid(InvalidInput):
    """Candidates, pins or features that can't be ranked; details are in `violations`."""

    code = "ranking_invalid"


class EventInvalid(InvalidInput):
    """An event that can't be taken in; details are in `violations`."""

    code = "event_invalid"


class SimulationInvalid(InvalidInput):
    """A simulation that can't be run as it is asked for; details are in `violations`."""

    code = "simulation_invalid"


class SearchInvalid(InvalidInput):
    """A search that can't be made as it is asked for, or has nothing to propose; details are in `violations`."""

    code = "search_invalid"


class ControllerInvalid(InvalidInput):
    """A controller that can't be run as it is asked for; details are in `violations`."""

    code = "controller_invalid"


class SurfaceInvalid(InvalidInput):
    """A response surface that can't be made of what was measured, or a file that holds none."""

    code = "surface_invalid"


class ExperimentInvalid(InvalidInput):
    """An experiment that can't be run or planned as it is asked for; details are in `violations`."""

    code = "experiment_invalid"


class WindowInvalid(InvalidInput):
    """A window of metrics that isn't one minute to thirty days long."""

    code = "window_invalid"


class LogUnusable(InvalidInput):
    """Logged decisions that nothing can be estimated from; the message says why."""

    code = "log_unusable"


class AllocationInvalid(InvalidInput):
    """Slates that a market can't show."""

    code = "allocation_invalid"


class ScenarioInvalid(InvalidInput):
    """A scenario file that breaks its schema or contradicts itself."""

    code = "scenario_invalid"


class WebhookUrlRefused(InvalidInput):
    """A webhook's URL that this service doesn't send to."""

    code = "webhook_url_refused"


class WebhookSignatureInvalid(InvalidInput):
    """A webhook that wasn't signed with the secret, or not just now."""

    code = "webhook_signature_invalid"


class PromptInvalid(InvalidInput):
    """A prompt that breaks its contract; details are in `violations`, those of templates with their lines."""

    code = "prompt_invalid"


class BackendNotConfigured(InvalidInput):
    """A backend that this service wasn't started with."""

    code = "backend_not_configured"


class GateRefused(RewardLLMError):
    """The gate found violations; they are in `violations`."""

    code = "gate_refused"
