"""How people sign in: OpenID Connect's authorization code flow, with PKCE, and a session of the service's own."""
