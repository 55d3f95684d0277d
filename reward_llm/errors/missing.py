"""Nothing by that name."""

from __future__ import annotations

from reward_llm.errors.root import RewardLLMError


class NotFound(RewardLLMError):
    """Nothing by that name."""

    code = "not_found"


class ScenarioUnknown(NotFound):
    """No scenario by that name."""

    code = "scenario_unknown"


class SegmentUnknown(NotFound):
    """The scenario has no segment by that name."""

    code = "segment_unknown"


class GoalUnknown(NotFound):
    """No goal by that id."""

    code = "goal_unknown"


class PolicyUnknown(NotFound):
    """No policy by that id."""

    code = "policy_unknown"


class ActivationUnknown(NotFound):
    """No activation by that sequence."""

    code = "activation_unknown"


class AuditRecordUnknown(NotFound):
    """No audit record of that sequence."""

    code = "audit_record_unknown"


class PromptUnknown(NotFound):
    """No prompt bundle by that name."""

    code = "prompt_unknown"


class TokenUnknown(NotFound):
    """No API token by that id."""

    code = "token_unknown"


class WebhookUnknown(NotFound):
    """No webhook by that id."""

    code = "webhook_unknown"


class DeliveryUnknown(NotFound):
    """No delivery by that id."""

    code = "delivery_unknown"


class PromptVersionUnknown(NotFound):
    """The prompt has no version by that number."""

    code = "prompt_version_unknown"


class PromptLabelUnknown(NotFound):
    """The prompt has no label by that name."""

    code = "prompt_label_unknown"


class SimulationUnknown(NotFound):
    """No simulation by that id, or none that is still kept."""

    code = "simulation_unknown"


class LoopRecordUnknown(NotFound):
    """No experiment, controller or study by that id."""

    code = "loop_record_unknown"
