"""What the displays say of solved goals: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    ("solved", "solved", "求解"),
    ("feasibility", "Targets", "目标要求"),
    ("feasible", "can be met", "可以达到"),
    ("infeasible", "can't be met", "无法达到"),
    ("uncertain", "not certain whether they can be met", "不确定能否达到"),
    ("demand", "demanded", "要求"),
    ("demand_at_least", "{metric} ≥ {bound}", "{metric} ≥ {bound}"),
    ("demand_at_most", "{metric} ≤ {bound}", "{metric} ≤ {bound}"),
    ("proposed_weights", "proposal", "提案"),
    ("solved_weights", "solved", "求解"),
    ("expected_now", "now", "当前"),
    ("in_the_way", "in the way", "无法满足的要求"),
    (
        "blocker",
        "{metric} {bound}: the nearest that can be met is {nearest}",
        "{metric} {bound}：最接近的可达值为 {nearest}",
    ),
    (
        "nothing_solved",
        "Nothing to solve: no target, no guardrail, or no surface for the scenario.",
        "无需求解：没有目标值或护栏，或该场景没有响应面。",
    ),
    (
        "solved_basis",
        "expected by a surface made by the {what_if} ({surface}), {confidence:.0%} intervals; in brackets the chance"
        " of being met",
        "由{what_if}建立的响应面（{surface}）预计，{confidence:.0%} 区间；括号内为达到要求的概率",
    ),
    ("fitting", "trying weights", "正在尝试权重"),
    ("left_out", "error on points left out: quadratic · process", "留一误差：二次多项式 · 高斯过程"),
    ("surface_spread", "spread", "标准差"),
    ("surface_kind", "taken", "采用"),
    ("surface_written", "{file}: {points} points, {metrics} metrics", "{file}：{points} 个点，{metrics} 个指标"),
)
