"""The agents over real events: what is known of users and items now, and what is decided by it.

events ─► updater ─► user state, item counts ─► store (memory | Redis) ─► decisions ◄─ served weights
             a worker's, never a request's              versioned           one round trip, versioned cache
"""
