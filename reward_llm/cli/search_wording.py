"""What the displays say of searches: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    ("search", "search", "搜索"),
    # headings
    ("search_study", "Search", "搜索"),
    ("search_column", "search", "搜索"),
    ("search_method", "method", "方法"),
    ("search_objectives", "objectives", "优化指标"),
    ("search_evaluations", "evaluations", "评估次数"),
    ("search_trial", "trial", "试验"),
    ("search_seeds", "seeds", "种子数"),
    ("search_kept", "constraints", "约束"),
    ("search_volume", "hypervolume", "超体积"),
    ("search_now", "in force", "生效中"),
    ("search_weights", "weights of trial {trial}", "试验 {trial} 的权重"),
    # states
    ("search_state_queued", "waiting", "排队中"),
    ("search_state_running", "running", "运行中"),
    ("search_state_interrupted", "interrupted", "已中断"),
    ("search_state_cancelled", "cancelled", "已取消"),
    ("search_state_failed", "failed", "失败"),
    ("search_state_done", "done", "已完成"),
    ("search_state_proposed", "proposed", "已提案"),
    # sentences
    ("searching", "searching", "正在搜索"),
    (
        "search_about",
        "{id} · {scope} · {method} · {state} · {done} of {of} evaluations",
        "{id} · {scope} · {method} · {state} · 已评估 {done}/{of} 次",
    ),
    ("search_is_kept", "kept", "满足"),
    ("search_is_broken", "broken", "未满足"),
    (
        "search_basis",
        "means over fresh seeds, ± the standard error of the difference from what is in force · ★ would be proposed",
        "新种子上的均值，± 与生效策略之差的标准误 · ★ 为拟提案者",
    ),
    ("search_nothing", "Nothing that was tried keeps to the constraints.", "没有任何试验满足约束。"),
    ("search_none", "No searches yet.", "还没有搜索。"),
    ("to_propose", "propose it:", "提案："),
    ("to_resume", "go on with it:", "继续："),
    ("to_experiment", "then try it on some of the users:", "然后在部分用户上实验："),
)
