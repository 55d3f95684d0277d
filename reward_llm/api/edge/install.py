"""What the edge is made of, and in which order.

    request ─► log ─► outgoing headers ─► CORS ─► origins ─► incoming limits ─► throttle ─► the application

An answer passes it the other way. In front of it is the lane (`reward_llm.api.lane`).
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.edge.incoming import IncomingLimits
from reward_llm.api.edge.origins import Origins
from reward_llm.api.edge.outgoing import OutgoingHeaders
from reward_llm.api.edge.throttle import Throttle, ThrottleHeaders
from reward_llm.api.requestlog import RequestLog
from reward_llm.domain.ports import Clock

_MAY_BE_SENT: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Weights-At-Least",
)
_MAY_BE_READ: Final = (
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Weights-Age",
    "Weights-As-Of",
    "Weights-Revision",
    "Weights-Stale",
    "X-Request-ID",
)


def install(app: FastAPI, config: EdgeConfig, clock: Clock) -> None:
    """Put the application behind its edge; what is added last is passed first."""
    app.state.throttle = Throttle(config, clock)
    app.add_middleware(ThrottleHeaders, throttle=app.state.throttle)
    app.add_middleware(IncomingLimits, config=config)
    app.add_middleware(Origins, config=config)
    if config.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH"],
            allow_headers=_MAY_BE_SENT,
            expose_headers=_MAY_BE_READ,
        )
    app.add_middleware(OutgoingHeaders, https=config.https)
    app.add_middleware(RequestLog)
