"""Serving weights from memory, and the client that other programs look them up with."""
