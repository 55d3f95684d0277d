"""Experiments: policy against policy, looked at every day, and stopped when they do harm."""
