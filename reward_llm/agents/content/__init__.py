"""The agent that stands for a piece of new content: what exposure it asks for, and for whom."""
