"""Goals in the words of an invented trade, which no lexicon and no corpus has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

METRICS = {
    "glim rate": "click",
    "vorp": "gmv",
    "tarn score": "satisfaction",
    "quell index": "retention",
    "brindle": "diversity",
    "sprig quota": "cold_start",
}
TAUGHT = {
    "raise": (
        "Push the {m} up this month.",
        "We want more {m}.",
        "{m} has to grow by 5% before June",
        "The {m} is too low, lift it.",
        "Get {m} higher, please",
        "Team, let's work on a better {m}.",
        "improve {m} on the front page",
        "Q3 target: {m} from 4% to 6%.",
        "提升{m}",
        "{m}要往上拉",
    ),
    "hold": (
        "{m} must not drop.",
        "Keep {m} where it is.",
        "Don't let the {m} fall below last week's.",
        "{m}不能掉",
    ),
    "lower": (
        "We care too much about {m}; give it less weight.",
        "Less focus on {m} from now on.",
        "Stop chasing {m}.",
    ),
}
KEPT_BACK = {
    "raise": ("Please raise {m} a good deal.", "Our {m} should go up in autumn.", "把{m}做上去"),
    "hold": ("The {m} has to stay at its level.",),
    "lower": ("Put less weight on {m}.",),
}


def goals(templates: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """Each template with each metric: text, concept, direction."""
    for direction, texts in templates.items():
        for text in texts:
            for metric, concept in METRICS.items():
                yield text.format(m=metric), concept, direction


def corpus_line(goal: str, concept: str, direction: str) -> dict[str, Any]:
    intent = {"utility": concept, "direction": direction, "emphasis": "clear"}
    return {"goal": goal, "lang": "en", "trade": "x", "decision": "propose", "intents": [intent]}


def evaluation_line(goal: str, concept: str, direction: str) -> dict[str, Any]:
    return {"id": goal, "lang": "en", "kind": "trade", "goal": goal, "expect": {direction: [concept]}}


def write_lines(file: Path, lines: Iterable[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return file
