"""What users did: events in, online metrics, off-policy estimates."""
