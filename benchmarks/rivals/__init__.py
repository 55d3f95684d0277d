"""Servers that benchmarks put beside this project's."""
