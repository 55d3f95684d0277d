"""Goals solved over a response surface: what they demand, and the weights that are expected to bring it."""
