"""Duties: what one process of all that could does again and again."""
