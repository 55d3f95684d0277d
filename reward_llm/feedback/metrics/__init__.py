"""Online metrics: a log of events on disk, and what it tells of any window and scope."""
