"""What every `reward_llm.domain.ports.Governance` does."""
