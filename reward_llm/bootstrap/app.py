"""The web service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reward_llm.bootstrap.auditing import build_auditing
from reward_llm.bootstrap.basics import load_all_scenarios, now
from reward_llm.bootstrap.console import add_console, console_config
from reward_llm.bootstrap.edge import build_edge, build_sign_in
from reward_llm.bootstrap.events import build_events
from reward_llm.bootstrap.experiments import build_experiments, looks
from reward_llm.bootstrap.feeds import build_feed, build_hub
from reward_llm.bootstrap.lookups import build_board
from reward_llm.bootstrap.memory import build_corrections, build_ledger
from reward_llm.bootstrap.metrics import build_metrics
from reward_llm.bootstrap.models import build_model
from reward_llm.bootstrap.prompting import build_backends, build_prompting
from reward_llm.bootstrap.ranking import build_reranker
from reward_llm.bootstrap.search import build_searches
from reward_llm.bootstrap.simulation import build_simulator
from reward_llm.bootstrap.solving import build_solver
from reward_llm.bootstrap.webhooks import build_sealer, deliveries
from reward_llm.bootstrap.worker import Bench, build_worker
from reward_llm.domain.access import AccessMode
from reward_llm.domain.scenario import Scenario
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from reward_llm.api import Services
    from reward_llm.domain.ports import LanguageModel, PromptStore
    from reward_llm.generation.prompting import Prompting
    from reward_llm.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class _Readers:
    """Who reads goals, by prompts that people edit; `models` are all that ran for it, the first among them."""

    first: LanguageModel | None
    models: Sequence[LanguageModel | None]
    prompts: PromptStore
    room: Prompting


def build_app(settings: Settings) -> FastAPI:
    """The web service, with its pages."""
    from reward_llm.api import create_app

    app = create_app(_services(settings))
    add_console(app, console_config(settings))
    return app


def _services(settings: Settings) -> Services:
    from reward_llm.api import ApiConfig, Services
    from reward_llm.delivery.snapshot import SnapshotBook
    from reward_llm.delivery.webhooks import PublicAddresses
    from reward_llm.store import SqlStore
    from reward_llm.store.access import SqlAccess
    from reward_llm.store.database import Database
    from reward_llm.store.governance import SqlGovernance
    from reward_llm.store.loop import SqlLoop
    from reward_llm.store.webhooks import SqlWebhooks
    from reward_llm.validation import gate

    scenarios = load_all_scenarios(settings)
    database = Database.open(settings.database_url)
    store, governance = SqlStore(database), SqlGovernance(database)
    auditing = build_auditing(settings, database)
    notary, notarising = auditing.notary, (auditing.notary.keep_signing,) if auditing.notary else ()
    readers = _readers(settings, database, scenarios)
    sign_in = build_sign_in(settings, database, scenarios)
    provider = sign_in.provider if sign_in else None
    board = build_board(settings, database, scenarios)
    snapshots = SnapshotBook(board)
    reranker, simulator, searches = build_reranker(settings), build_simulator(), build_searches(database)
    closable = (reranker, simulator, searches, *readers.models, provider, notary, store)
    metrics = build_metrics(settings)
    events = build_events(settings, metrics.sinks)
    feed = build_feed(settings)
    experiments = build_experiments(database, board, scenarios, feed, metrics)
    book = build_corrections(database, scenarios)
    bench = Bench(database=database, scenarios=scenarios, online=metrics.online, experiments=experiments)
    worker = build_worker(settings, bench) if settings.worker == "inside" else None
    return Services(
        store=store,
        governance=governance,
        proposer=readers.room.proposer,
        prompts=readers.prompts,
        workshop=readers.room.workshop,
        board=board,
        snapshots=snapshots,
        notices=build_hub(settings, board, snapshots, now),
        feed=feed,
        scenarios=scenarios,
        clock=now,
        gate=gate.check,
        audit_log=auditing.log,
        auditor=auditing.auditor,
        tokens=SqlAccess(database),
        webhooks=SqlWebhooks(database, build_sealer(settings)),
        addresses=PublicAddresses(allow_private=settings.webhooks_allow_private),
        background=(
            *notarising,
            deliveries(settings, database),
            readers.room.book.keep_fresh,
            *events.background,
            *metrics.background,
            book.keep_fresh,
            *((worker.run,) if worker else ()),
            *(() if worker else looks(experiments)),
        ),
        memories=build_ledger(database),
        worker=worker,
        config=ApiConfig(access=AccessMode(settings.access), edge=build_edge(settings)),
        model=readers.first,
        sign_in=sign_in,
        reranker=reranker,
        simulator=simulator,
        experiments=experiments,
        searches=searches,
        solver=build_solver(settings, book.factors),
        intake=events.intake,
        online=metrics.online,
        allocator=events.allocator,
        controllers=SqlLoop(database),
        closers=(*events.closers, *metrics.closers, *(c.aclose for c in closable if c is not None)),
    )


def _readers(settings: Settings, database: Database, scenarios: Mapping[str, Scenario]) -> _Readers:
    from reward_llm.generation.prompt_files import packaged_prompts
    from reward_llm.store.prompts import SqlPrompts

    model, packaged = build_model(settings), packaged_prompts()
    prompts, backends = SqlPrompts(database, packaged), build_backends(settings, model)
    room = build_prompting(settings, prompts, packaged, backends, scenarios, build_ledger(database))
    others = [b.model for b in backends if b.model is not model]
    return _Readers(first=model, models=(model, *others), prompts=prompts, room=room)
