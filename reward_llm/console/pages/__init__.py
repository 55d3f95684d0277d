"""One module an area: its routes, and the values that its templates show."""
