"""The agent that stands for a user: how much of the page may explore."""
