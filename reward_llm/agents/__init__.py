"""User, content and orchestrator agents, how they learn, and the market that they live in."""
