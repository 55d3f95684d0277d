"""Off-policy estimates: what another way to choose would have earned, from logged propensities."""
