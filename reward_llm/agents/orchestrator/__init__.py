"""The agent that fills pages and allots paid exposure, by the served weights."""
