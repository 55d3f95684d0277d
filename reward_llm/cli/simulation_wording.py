"""What the displays say of simulations: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # headings
    ("simulation", "Simulation", "模拟"),
    ("outcome", "outcome", "指标"),
    ("difference", "difference, {confidence:.0%} interval", "差值，{confidence:.0%} 区间"),
    # outcomes
    ("outcome_new_content_ctr", "new-content CTR", "新内容点击率"),
    ("outcome_interest_diversity", "interest diversity", "兴趣多样性"),
    ("outcome_cold_start_success", "cold-start success", "冷启动成功率"),
    ("outcome_next_day_retention", "next-day retention", "次日留存"),
    ("outcome_boost_cost", "boost cost", "加热成本"),
    ("outcome_gmv", "GMV", "成交额"),
    ("outcome_watch_time_min", "watch time, min", "观看时长（分钟）"),
    ("outcome_ctr", "CTR", "点击率"),
    ("outcome_satisfaction", "satisfaction", "满意度"),
    ("outcome_group_order", "group order", "分组顺序"),
    # sentences
    (
        "simulated",
        "{scenario}: {days} days, {users:,} users, {seeds} seeds, {seconds:.0f} s",
        "{scenario}：{days} 天，{users:,} 名用户，{seeds} 个随机种子，用时 {seconds:.0f} 秒",
    ),
    (
        "simulation_basis",
        "means over seeds, ± half of the {confidence:.0%} interval · green better, red worse than {first} on the same"
        " seeds, where 0 lies outside the difference's interval",
        "各种子均值，± {confidence:.0%} 区间的一半 · 绿色优于、红色劣于 {first}（同一批种子，差值区间不含 0）",
    ),
    (
        "simulation_pair_basis",
        "± half of the {confidence:.0%} interval over seeds · ● mean difference on the same seeds  ─ its interval"
        "  │ no difference",
        "± 各种子 {confidence:.0%} 区间的一半 · ● 同一批种子的平均差值  ─ 其区间  │ 无差异",
    ),
    ("simulating", "simulating", "正在模拟"),
    ("reading_goals", "reading goals", "正在解读目标"),
)
