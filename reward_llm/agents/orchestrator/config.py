"""What the orchestrator is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from reward_llm.agents.orchestrator.estimates import EstimatesConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PageConfig:
    """How a page is filled, beside what is boosted."""

    shortlist: int = 40
    """Items that a page is put together from, the best alone."""
    variety: float = 0.3
    """Share of its worth that an item loses for each one of its topic that stands in the page already."""
    alike: int = 3
    """Items of one topic in a row that a page never has, as long as the shortlist has others."""
    most: int = 3
    """Items of one topic that a page has at most, likewise."""
    rivalry: float = 1.5
    """Share of its worth that what is sold loses beside a rival, for each point of weight on money."""
    order: float = 4.0
    """What a supply group's item loses to one of the group before it, where the items of a page are put in order, for
    each point of weight on that; the mean worth is about 1."""
    established: int = 8
    """Completed views from which on new content needs no more."""
    first_need: float = 0.05
    """What the first completed view of new content is worth to cold start, relative to the last that it needs."""
    balance: float = 4.0
    """Share of its worth that an item loses if no topic had more of the user's clicks today than its own, for each
    point of weight on diversity."""
    trying: float = 3.0
    """How far clicks are drawn from what is known for a user who explores all the time; above 1 counts as 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllotmentConfig:
    """How paid exposure is allotted."""

    cap: float = 0.2
    """Largest share of all impressions that is boosted."""
    a_page: int = 2
    """Boosted impressions of a page at most."""
    rounds: int = 4
    """Times that users are offered to the contents that they suit next best."""
    first_chance: int = 50
    """Impressions that new content is given to show what it is."""
    left_out: float = 0.1
    """Share of the new content, the one that promises least, that waits for the others' first chance; at most 0.2."""
    enough: int = 0
    """Completed views up to which content that can be good is boosted beyond its first chance; at 0 it then stands on
    its own."""
    hopeless: float = -0.4
    """The quality, a logit, that content has to be able to have (at two deviations) to be given more."""
    match: float = 0.5
    """Weight of the user-content match, twice that of an untrained actor's choice being 1."""
    revenue: float = 0.5
    """Weight of the platform's revenue, likewise."""
    long_term: float = 0.5
    """Weight of the long-term value, likewise."""
    pressure: float = 0.5
    """Share of the cap that may be used at the default weight of cold start."""
    place: float = 0.8
    """Where in a page boosted content stands: 0 at the top, 1 at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorConfig:
    """The agent, the estimates and the rules that it stands on."""

    estimates: EstimatesConfig = field(default_factory=EstimatesConfig)
    page: PageConfig = field(default_factory=PageConfig)
    allotment: AllotmentConfig = field(default_factory=AllotmentConfig)
    hidden: tuple[int, ...] = (32, 32)
    """Widths of the actor's layers."""
