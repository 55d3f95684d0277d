"""A month of the market under each of several recommenders and weights, as tables, plots and jobs."""
