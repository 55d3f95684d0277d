"""Server-rendered pages for people, a client of the HTTP API."""
