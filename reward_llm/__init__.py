"""A control plane for recommender objectives."""

__version__ = "0.1.0"
