"""Change feeds: how a process hears at once of what another has changed."""
