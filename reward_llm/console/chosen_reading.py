"""A goal's reading as a person leaves or corrects it: for each utility what is asked of it, as a form has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reward_llm.domain.interpretation import Direction, Emphasis

Document = Mapping[str, Any]

PREFIX: Final = "read."
"""What the fields begin with; the name of a utility follows."""
CHOICES: Final = (
    "",
    *(f"{direction}.{emphasis}" for direction in (Direction.RAISE, Direction.LOWER) for emphasis in Emphasis),
    Direction.HOLD.value,
)
"""What can be asked of a utility: nothing, to raise or lower it in three degrees, or to hold it."""


@dataclass(frozen=True, slots=True)
class ChosenReading:
    """What is asked of each utility, by `CHOICES`; utilities of which nothing is asked are left out."""

    asked: Mapping[str, str]

    @classmethod
    def of_goal(cls, goal: Document) -> ChosenReading:
        """What the goal was read as."""
        return cls.of_intents((goal["interpretation"] or {}).get("intents", []))

    @classmethod
    def of_intents(cls, intents: list[Document]) -> ChosenReading:
        """What the intents ask."""
        return cls({i["utility"]: _choice(i) for i in intents})

    @classmethod
    def of_form(cls, fields: Mapping[str, str]) -> ChosenReading | None:
        """What a form's or an address's fields ask; None if none of them is about a utility."""
        found = {k.removeprefix(PREFIX): v for k, v in fields.items() if k.startswith(PREFIX)}
        return cls({k: v for k, v in found.items() if v in CHOICES and v}) if found else None

    @property
    def query(self) -> dict[str, str]:
        """As an address has it; that nothing at all is asked has to be said as well."""
        return {PREFIX + utility: asked for utility, asked in self.asked.items()} or {PREFIX: ""}

    @property
    def intents(self) -> list[dict[str, str]]:
        """As the interface weighs it."""
        return [{"utility": u, **_intent(asked)} for u, asked in self.asked.items()]


def _choice(intent: Document) -> str:
    direction = str(intent["direction"])
    return direction if direction == Direction.HOLD else f"{direction}.{intent['emphasis']}"


def _intent(asked: str) -> dict[str, str]:
    direction, _, emphasis = asked.partition(".")
    return {"direction": direction, **({"emphasis": emphasis} if emphasis else {})}
