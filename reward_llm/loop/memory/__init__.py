"""Memory: what was predicted of goals' weights, and what came of them."""
