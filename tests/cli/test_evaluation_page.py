import base64
import dataclasses
import hashlib

import pytest

from reward_llm.cli.evaluation.marks import pieces
from reward_llm.cli.evaluation.page import render_page
from reward_llm.domain.interpretation import Decision
from reward_llm.tuning.evaluation import dump_run, parse_run
from tests.cli.markup import parse
from tests.readings import intent, line, moved, read, refused, run_of
from tests.strategies import HOME_FEED

MORE_GMV = moved(gmv=0.1, click=-0.1)
HOSTILE = "<script>alert(1)</script>\"'>&{{ 7*7 }}</style>\x00\u202e"


def page(*readings):
    return parse(render_page(run_of(*readings)))


def failures(tree):
    return tree.one("section", id="failures").all("article")


def failed(goal="more clicks", *, intents=(), weights=MORE_GMV, **fields):
    return read(line({"raise": ["click"]}, goal=goal, **fields), weights, intents=intents)


def test_a_page_needs_nothing_but_itself():
    document = render_page(run_of(failed()))
    tree = parse(document)
    assert document.startswith("<!doctype html>")
    assert not [t for t in ("link", "img", "iframe", "object", "base") if tree.all(t)]
    assert all(a.attributes["href"].startswith("#") for a in tree.all("a"))
    assert "url(" not in document
    assert "@import" not in document


def test_no_script_runs_but_the_pages_own():
    tree = page(failed(HOSTILE))
    digest = base64.b64encode(hashlib.sha256(tree.one("script").text.encode()).digest()).decode()
    policy = tree.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_hostile_text_is_shown_and_changes_nothing():
    tree = page(
        failed(HOSTILE, id=HOSTILE, kind=HOSTILE, lang=HOSTILE, pair=HOSTILE),
        read(line({"raise": ["click"]}, id="2"), reason=HOSTILE),
    )
    assert len(tree.all("script")) == len(tree.all("style")) == 1
    assert failures(tree)[0].one("blockquote").text == HOSTILE.removesuffix("\x00\u202e")
    assert HOSTILE in failures(tree)[0].one("h4").text
    assert failures(tree)[0].attributes["data-kind"] == HOSTILE
    assert HOSTILE in failures(tree)[1].text
    assert not [name for e in tree.all("article") for name in e.attributes if name.startswith("on")]


def test_ids_are_unique_and_every_link_leads_somewhere():
    tree = page(failed(id="a b"), failed(id="a%20b"), failed(id="中"))
    ids = [e.attributes["id"] for e in tree._descendants() if e.attributes.get("id")]
    assert len(set(ids)) == len(ids)
    assert not any(" " in i for i in ids)
    assert {a.attributes["href"].removeprefix("#") for a in tree.all("a")} <= set(ids)


@pytest.mark.parametrize(
    ("goal", "lang", "spans", "marked"),
    [
        ("把首页的点击率拉起来", "zh-Hans", [(4, 7)], ["点击率"]),
        ("More clicks & <b>clicks</b>", "en", [(5, 11), (17, 23)], ["clicks", "clicks"]),
        ("🔥 clicks\r\nnow", "en", [(2, 8)], ["clicks"]),
        ("\u202eclicks", "en", [(0, 6)], ["clicks"]),
    ],
)
def test_marks_stand_at_the_characters_that_the_reading_rests_on(goal, lang, spans, marked):
    reading = failed(goal, lang=lang[:2], intents=(intent("lower", "click", *spans),))
    quote = failures(page(reading))[0].one("blockquote")
    assert [m.text for m in quote.all("mark", class_="lower")] == marked
    assert [s.text for s in quote.all("sup")] == ["1"] * len(marked)
    assert quote.attributes["lang"] == lang


def test_spans_that_overlap_share_the_text_between_them():
    cut = pieces("more clicks now", [intent("raise", "click", (0, 11)), intent("lower", "gmv", (5, 15))])
    assert [(p.text, p.intents, p.ends) for p in cut] == [
        ("more ", (1,), ()),
        ("clicks", (1, 2), (1,)),
        (" now", (2,), (2,)),
    ]


@pytest.mark.parametrize("span", [(-3, 2), (2, 90), (50, 60), (3, 3), (4, 1)])
def test_a_span_beyond_the_text_neither_adds_nor_loses_characters(span):
    assert "".join(p.text for p in pieces("goal", [intent("raise", "gmv", span)])) == "goal"


def test_every_failure_is_there_with_what_was_expected_and_read():
    goal = line({"raise": ["click"], "hold": ["gmv"]}, id="both", kind="constraint")
    reading = read(goal, MORE_GMV, intents=(intent("raise", "gmv", confidence=0.625),), reason="too slow")
    article, other = failures(page(reading, read(line({}, id="fine")), failed(id="other")))
    assert (article.one("h4").text, other.one("h4").text) == ("both", "other")
    assert [c.words for c in article.all("li", class_="wrong")] == ["✗ raise click: doesn't hold"]
    assert [c.words for c in article.all("li", class_="right")] == ["✓ hold gmv: holds"]
    assert "raise gmv clear · confidence 0.62 · no single place" in article.one("ol").words
    assert "rules · confidence 0.62 · 1.0 ms too slow" in article.words
    assert "confidence not given" in other.words


def test_weights_stand_beside_their_defaults():
    rows = failures(page(failed()))[0].one("table", class_="weights").one("tbody").all("tr")
    assert [r.one("th").text for r in rows] == list(HOME_FEED.utility_names)
    shown = {r.one("th").text: [c.text for c in r.all("td")[1:]] for r in rows}
    assert shown["gmv"] == ["0.200", "→ 0.300"]
    assert shown["click"] == ["0.250", "→ 0.150"]
    assert [r.attributes["class"] for r in rows] == ["down", "up", *["same"] * 5]


def test_a_goal_that_was_refused_unread_has_no_reading():
    goal = line({"raise": ["click"]}, goal="\x00\u202e")
    [article] = failures(page(refused(goal)))
    assert article.one("blockquote").text == "nothing readable"
    assert article.one("ol").words == "no_change"


def test_the_page_reads_without_its_script():
    tree = page(failed(id="1"), failed(id="2", kind="metric"), failed(id="3", kind="metric"))
    form = tree.one("form", id="filter")
    assert "hidden" in form.attributes
    assert not any("hidden" in a.attributes for a in tree.all("article"))
    assert [label.words for label in form.all("label")] == ["all", "metric 2", "direct 1"]
    assert [i.attributes["value"] for i in form.all("input")] == ["", "metric", "direct"]


def test_the_heat_map_counts_every_line_and_utility():
    readings = [failed(id=str(n), intents=(intent("hold", "click"),)) for n in range(3)]
    rows = page(*readings).one("table", class_="heat").one("tbody").all("tr")
    counts = {r.one("th").text: [c.words for c in r.all("td")] for r in rows}
    assert counts["raise"] == ["0", "0", "3 100%", "0", "3"]
    assert counts["nothing asserted"] == ["0", "0", "0", "18 100%", "18"]
    assert sum(int(cells[-1]) for cells in counts.values()) == 3 * len(HOME_FEED.utility_names)
    assert [c.words for r in rows for c in r.all("td", class_="differs")] == ["3 100%"]


def test_scores_are_shown_with_their_counts():
    summary = page(failed(id="1"), read(line({"raise": ["gmv"]}, id="2"), MORE_GMV)).one("section", id="summary")
    rows = {r.one("th").words: r for r in summary.one("tbody").all("tr")}
    assert "50.0% 1/2" in rows["directional accuracy"].words
    assert rows["top utility"].one("td").words == "–"
    assert rows["raise"].one("span", class_="bar").attributes["style"] == "--share: 50.0%"


def beside(then, now):
    baseline, current = run_of(*then), run_of(*now)
    kept = parse_run(dump_run(dataclasses.replace(baseline, file="kept.jsonl")), "run.json")
    return parse(render_page(current, kept))


def test_fixed_and_broken_lines_are_shown_then_and_now():
    fixed, broken, same = (line({"raise": ["gmv"]}, id=i) for i in ("mended", "spoilt", "same"))
    raised = (intent("raise", "gmv"),)
    tree = beside(
        [read(fixed, decision=Decision.NO_CHANGE), read(broken, MORE_GMV), read(same, MORE_GMV)],
        [read(fixed, MORE_GMV, intents=raised), read(broken), read(same, MORE_GMV)],
    )
    changes = tree.one("section", id="changes")
    assert [h.words for h in changes.all("h3")] == ["rules: 1 line fixed", "rules: 1 line broken"]
    assert [(a.one("h4").text, a.all("span", class_="tag")[-1].text) for a in changes.all("article")] == [
        ("mended", "fixed"),
        ("spoilt", "broken"),
    ]
    then, now = changes.all("article")[0].all("section")
    assert then.one("ol").words == "no_change"
    assert "raise gmv" in now.one("ol").words
    assert "kept.jsonl" in changes.words


def test_every_score_says_how_it_changed():
    goals = [line({"raise": ["gmv"]}, id=i) for i in "ab"]
    tree = beside([read(g) for g in goals], [read(goals[0], MORE_GMV), read(goals[1])])
    rows = {r.one("th").words: r.words for r in tree.one("section", id="summary").one("tbody").all("tr")}
    assert "+50.0 pp was 0.0%" in rows["directional accuracy"]
    assert rows["valid weights"] == "valid weights100.0% 2/2 was 100.0%"
    assert rows["top utility"] == "top utility–"
    assert "1 fixed, 0 broken" in tree.one("section", id="summary").words


def test_a_run_without_a_baseline_has_no_changes():
    tree = page(failed())
    assert not tree.all("section", id="changes")
    assert not tree.all("span", class_="change")
