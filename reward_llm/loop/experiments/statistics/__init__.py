"""What experiments are decided by: comparisons of units, confidence sequences and shares of units."""
