"""What closes the loop: controllers, experiments, and the search for better weights."""
