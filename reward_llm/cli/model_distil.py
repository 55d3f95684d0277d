"""`reward-llm model distil` and `trim`: a small Qwen2 that does what a large one does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.model_tune import (
    BatchTokensOption,
    CorpusOption,
    FullOption,
    HoldBackOption,
    KeepBackOption,
    LoraOption,
    MinutesOption,
    RateOption,
    ResumeOption,
    StepsOption,
    check_training,
    lessons_of,
    progress_bar,
    run_tuning,
    show_report,
    tuning_config,
)
from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json
from reward_llm.errors import InvalidInput

if TYPE_CHECKING:
    from reward_llm.tuning.labelling import Labelled
    from reward_llm.tuning.trim import Trimmed

TRIMMED_SHARE = 0.25
"""The share of the vocabulary that trimming leaves at least."""
_ALL = "all"

VocabularyOption = Annotated[
    str | None,
    typer.Option(
        "--keep-vocabulary",
        metavar="SHARE|all",
        help="The share of the tokens that stays at least, beside those in use.",
        show_default=f"{TRIMMED_SHARE} where layers are dropped",
    ),
]

_NO_LABELS: Final = "Look into dropped.json below labels/, or lower --confidence."


def trim(
    *,
    base: Annotated[Path, typer.Option("--base", help="The Qwen2 checkpoint to make smaller.")],
    out: Annotated[Path, typer.Option("--out", help="The folder of the new checkpoint.")],
    layers: Annotated[int | None, typer.Option("--layers", min=1, help="How many layers stay; all.")] = None,
    keep_vocabulary: VocabularyOption = None,
    goals: Annotated[
        list[Path] | None, typer.Option("--goals", help="Goals whose tokens are to stay as well; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a smaller Qwen2: drop layers, and tokens that goals don't use."""
    check_training()
    from reward_llm.tuning.own_goals import load_unlabelled

    share = _share(keep_vocabulary, trimmed=layers is not None)
    texts = [goal for file in goals or [] for goal in load_unlabelled(file)]
    trimmed = _trim(base, out, layers, share, texts)
    if as_json:
        print_json(asdict(trimmed))
    else:
        _show_trimmed(trimmed, out)


def distil(  # noqa: PLR0913 - each is an option
    *,
    teacher: Annotated[str, typer.Option("--teacher", help="A vLLM's URL, ending with /v1, or a checkpoint.")],
    student: Annotated[Path, typer.Option("--student", help="The Qwen2 checkpoint that is to learn.")],
    goals: Annotated[Path, typer.Option("--goals", help="Goals without labels: JSON Lines, or one a line.")],
    out: Annotated[Path, typer.Option("--out", help="The folder of the new checkpoint.")],
    layers: Annotated[
        int | None, typer.Option("--trim", min=1, help="First drop layers of the student, so that so many stay.")
    ] = None,
    keep_vocabulary: VocabularyOption = None,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0, max=1, help="Drop what a teacher that tells it is less sure of.")
    ] = 0.5,
    keep_back: KeepBackOption = None,
    hold_back: HoldBackOption = 0.1,
    lora: LoraOption = None,
    full: FullOption = False,
    minutes: MinutesOption = None,
    steps: StepsOption = None,
    learning_rate: RateOption = None,
    batch_tokens: BatchTokensOption = None,
    corpus: CorpusOption = None,
    resume: ResumeOption = True,
    as_json: JsonOption = False,
) -> None:
    """Have a large model label goals, and tune a small one on them."""
    check_training()
    from reward_llm import bootstrap
    from reward_llm.tuning.own_goals import load_labelled, load_unlabelled

    share = _share(keep_vocabulary, trimmed=layers is not None)
    texts = load_unlabelled(goals)
    scenario = bootstrap.home_feed(bootstrap.load_settings())
    kept_back = load_labelled([keep_back], scenario) if keep_back else None
    labelled = _label(teacher, texts, out, confidence)
    if not as_json:
        _show_labelled(labelled, len(texts))
    if not labelled.goals:
        raise InvalidInput("the teacher labelled no goal", hint=_NO_LABELS)
    if layers is not None or share is not None:
        trimmed, student = _trim(student, out / "trimmed", layers, share, texts), out / "trimmed"
        if not as_json:
            _show_trimmed(trimmed, student)
    config = tuning_config(
        student,
        lora=lora,
        full=full,
        minutes=minutes,
        steps=steps,
        learning_rate=learning_rate,
        batch_tokens=batch_tokens,
    )
    lessons = lessons_of(labelled.goals, corpus, kept_back, hold_back)
    report = run_tuning(student, config, lessons, out, resume=resume)
    if as_json:
        labels = {"labelled": len(labelled.goals), "refused": labelled.refused, "uncertain": labelled.uncertain}
        print_json({**asdict(report), "labels": labels})
    else:
        show_report(report, out)


def _share(text: str | None, *, trimmed: bool) -> float | None:
    """The share that the option names; None keeps the whole vocabulary."""
    if text is None:
        return TRIMMED_SHARE if trimmed else None
    if text == _ALL:
        return None
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidInput(f"--keep-vocabulary {text} is no share", hint="Give a number from 0 to 1, or all.")
    return share


def _label(teacher: str, texts: Sequence[str], out: Path, confidence: float) -> Labelled:
    from reward_llm import bootstrap
    from reward_llm.tuning.labelling import label, labelling_folder
    from reward_llm.validation.checkpoints import verify_checkpoint

    if teacher.startswith(("http://", "https://")):
        model: Path | str = teacher
        identity = teacher
    else:
        model = Path(teacher)
        identity = verify_checkpoint(model)
    scenario = bootstrap.home_feed(bootstrap.load_settings())
    with progress_bar() as progress, bootstrap.open_reader(model) as read:
        task = progress.add_task(f"labelling {len(texts):,} goals", total=len(texts))
        return label(
            texts,
            scenario,
            read,
            labelling_folder(out, identity, confidence),
            least_confidence=confidence,
            on_progress=lambda done: progress.update(task, completed=done),
        )


def _trim(base: Path, out: Path, layers: int | None, share: float | None, goals: Sequence[str]) -> Trimmed:
    """Trim to what the goals, the corpus, their prompts and their answers use."""
    from reward_llm.tuning.trim import trim

    return trim(base, out, layers=layers, texts=() if share is None else _texts(base, goals), share=share)


def _texts(base: Path, goals: Sequence[str]) -> Iterator[str]:
    from transformers import AutoTokenizer

    from reward_llm import bootstrap
    from reward_llm.domain.completion import Vocabulary
    from reward_llm.tuning.corpus import corpus_dir, load_corpus
    from reward_llm.tuning.lessons import ChatEncoder
    from reward_llm.validation.checkpoints import was_trained_here

    vocabulary = Vocabulary.CONCEPTS if was_trained_here(base) else Vocabulary.UTILITIES
    render = bootstrap.build_renderer(bootstrap.load_settings(), vocabulary)
    encoder = ChatEncoder(AutoTokenizer.from_pretrained(base, local_files_only=True), render)
    corpus = load_corpus(corpus_dir())
    yield from (encoder.chat(text) for text in (*goals, *(g.goal for g in corpus)))
    yield from dict.fromkeys(g.answer for g in corpus)


def _show_labelled(labelled: Labelled, goals: int) -> None:
    words = (
        f"{len(labelled.goals):,} of {goals:,} goals labelled; dropped: {labelled.refused:,} whose answers the gate "
        f"refused, {labelled.uncertain:,} of too little confidence"
    )
    Console(stderr=True, highlight=False).print(words, soft_wrap=True)


def _show_trimmed(trimmed: Trimmed, out: Path) -> None:
    words = (
        f"trimmed: {len(trimmed.layers)} of {trimmed.all_layers} layers, {trimmed.tokens:,} of "
        f"{trimmed.all_tokens:,} tokens, {trimmed.parameters:,} of {trimmed.all_parameters:,} parameters, in {out}"
    )
    console().print(Text(words), soft_wrap=True)
