"""Training: the evaluator first, from logged lists; then, against it, the actor."""
