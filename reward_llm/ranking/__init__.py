"""What the service makes of the ranker: slates for policies, what policies would change, and its training."""
