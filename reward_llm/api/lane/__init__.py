"""The fast lane: answers again, without the application, what the application has let through a moment ago."""
