"""Controllers: a metric held at a set-point, or a quota paced, by moving one weight within what was granted."""
