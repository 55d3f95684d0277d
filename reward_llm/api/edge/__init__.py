"""What a request passes before it reaches a route, and an answer before it leaves."""
