"""Searches for weights: methods behind one interface, studies that can be gone on with, and finalists."""
