from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from reward_llm.cli.policy_display import curl_line
from reward_llm.cli.reading import highlighted, quantity, show_reading
from reward_llm.cli.wording import Lang
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation, Notice
from reward_llm.domain.review import Alternative, Review, ReviewReason
from tests.cli.documents import SALE, SCENARIO, goal_document

URL = "http://127.0.0.1:8300"


def shown(document: dict[str, Any], lang: Lang = Lang.EN, width: int = 100, **options: Any) -> str:
    out = StringIO()
    show_reading(Console(file=out, width=width, highlight=False, **options), document, SCENARIO, lang, URL)
    return out.getvalue()


def test_evidence_is_marked_with_its_intents_number():
    document = goal_document()
    intents = document["interpretation"]["intents"]
    assert highlighted(SALE, intents).plain == "今天是618大促，GMV[1]目标1亿，用户留存[2]目标是65%"


def test_evidence_has_its_intents_colour():
    intents = goal_document()["interpretation"]["intents"]
    text = highlighted(SALE, intents)
    styles = {text.plain[s.start : s.end]: str(s.style) for s in text.spans}
    assert styles["GMV"] == "bold underline cyan"
    assert styles["用户留存"] == "bold underline magenta"


def test_evidence_that_two_intents_share_carries_both_numbers():
    spans = [{"start": 0, "end": 3, "text": "GMV"}]
    assert highlighted("GMV!", [{"spans": spans}, {"spans": spans}]).plain == "GMV[1][2]!"


def test_a_goal_that_looks_like_markup_is_shown_as_it_is():
    assert "[bold]GMV[/bold]" in shown(goal_document("[bold]GMV[/bold]", ()))


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_the_terminal_whatever_the_language(lang, width):
    lines = shown(goal_document(), lang, width).splitlines()
    commands = ("curl", "reward-llm")
    assert all(cell_len(line) <= width for line in lines if not any(c in line for c in commands))


@pytest.mark.parametrize("lang", list(Lang))
def test_frames_close_at_the_same_column_around_chinese_text(lang):
    framed = [line for line in shown(goal_document(), lang).splitlines() if line.endswith(("│", "╮", "╯"))]
    assert {cell_len(line) for line in framed} == {100}


def test_weights_are_shown_before_and_after_within_their_bounds():
    row = next(line for line in shown(goal_document()).splitlines() if "→" in line and line.startswith("gmv"))
    assert "0.200 → 0.500" in row
    assert "+0.300" in row
    assert "0.05–0.50" in row
    assert "█" in row
    assert "▓" in row
    given = next(line for line in shown(goal_document()).splitlines() if "→" in line and line.startswith("click"))
    assert "░" in given
    assert "▓" not in given


def test_a_fallback_says_so_and_why():
    printed = shown(goal_document(reason="model_unavailable: no server"))
    assert "A fallback answered: model_unavailable: no server" in printed
    assert "A fallback answered" not in shown(goal_document())


CLICKS = Intent(utility="click", direction=Direction.RAISE, emphasis=Emphasis.SLIGHT)
DOUBT = Review(
    reason=ReviewReason.LOW_CONFIDENCE,
    threshold=0.98,
    alternatives=(
        Alternative(reading=Interpretation(decision=Decision.PROPOSE, intents=(CLICKS,)), probability=0.25),
        Alternative(reading=Interpretation(decision=Decision.NO_CHANGE), probability=0.125),
    ),
)


def test_a_reading_that_needs_a_person_says_why_and_what_else_it_may_be():
    printed = shown(goal_document(review=DOUBT))
    assert "? Needs a person: confidence 0.97 is below 0.98." in printed
    assert "or read as  click ▲ raise (slight)  0.25" in printed
    assert "or read as  no change  0.12" in printed
    assert "Needs a person" not in shown(goal_document())


@pytest.mark.parametrize("reason", list(ReviewReason))
def test_every_reason_to_look_at_a_reading_is_said_in_chinese(reason):
    printed = shown(goal_document(review=replace(DOUBT, reason=reason)), Lang.ZH)
    assert "? 需要人工确认：" in printed
    assert "也可能是  click ▲ 提升 (略微)  0.25" in printed


def test_notices_are_shown():
    assert "! 618 is a date" in shown(goal_document(notices=(Notice(code="date", message="618 is a date"),)))


def test_a_goal_that_asks_for_nothing_says_that_nothing_changes():
    printed = shown(goal_document("What's for lunch?", ()))
    assert "the weights stay as they are" in printed
    assert "policies activate" not in printed


def test_a_goal_that_is_not_read_yet_says_so():
    waiting = goal_document() | {"state": "received", "interpretation": None, "proposal": None}
    assert "has not been read yet" in shown(waiting)


def test_without_colour_nothing_but_text_is_printed():
    assert "\x1b[" not in shown(goal_document(), no_color=True)
    coloured = shown(goal_document(), force_terminal=True, color_system="standard", legacy_windows=False)
    assert "\x1b[" in coloured


def test_an_intent_without_evidence_or_confidence_has_dashes():
    intent = Intent(utility="diversity", direction=Direction.LOWER, emphasis=Emphasis.SLIGHT)
    row = next(line for line in shown(goal_document("less of it", (intent,))).splitlines() if line.startswith("1  "))
    assert row.count("–") == 3


@pytest.mark.parametrize(
    ("target", "written"),
    [
        (None, "–"),
        ({"value": 0.65, "unit": "percent", "currency": None}, "65%"),
        ({"value": 0.02, "unit": "points", "currency": None}, "2 pp"),
        ({"value": 1e8, "unit": "money", "currency": "CNY"}, "100,000,000 CNY"),
        ({"value": 1e8, "unit": "money", "currency": None}, "100,000,000"),
        ({"value": 2.0, "unit": "multiple", "currency": None}, "×2"),
        ({"value": 3.14159, "unit": "count", "currency": None}, "3.14159"),
    ],
)
def test_numbers_are_written_with_their_unit(target, written):
    assert quantity(target) == written


def test_the_curl_line_can_be_pasted_into_a_shell():
    assert curl_line(URL, "home_feed", None) == f"curl -s '{URL}/v1/weights/home_feed'"
    assert curl_line(URL, "home_feed", "新 '用户").count("'") == 2
