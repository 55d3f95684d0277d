"""What the displays say of experiments: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # headings
    ("experiment", "Experiment", "实验"),
    ("experiment_column", "experiment", "实验"),
    ("experiment_name", "name", "名称"),
    ("experiment_state", "state", "状态"),
    ("experiment_primary", "primary metric", "主指标"),
    ("experiment_day", "day", "天"),
    ("experiment_days", "days", "天数"),
    ("experiment_metric", "metric", "指标"),
    ("experiment_control", "control", "对照组"),
    ("experiment_treatment", "treatment", "实验组"),
    ("experiment_difference", "difference", "差异"),
    ("experiment_interval", "always-valid interval", "始终有效区间"),
    ("experiment_standing", "standing", "结论"),
    ("experiment_units", "units", "用户数"),
    ("experiment_design", "design", "方案"),
    ("experiment_size", "Size", "规模"),
    # states
    ("experiment_state_planned", "planned", "已计划"),
    ("experiment_state_running", "running", "进行中"),
    ("experiment_state_holdout", "holdout", "留出观察"),
    ("experiment_state_concluded", "concluded", "已结束"),
    ("experiment_state_rolled_back", "rolled back", "已回滚"),
    ("experiment_state_stopped", "stopped", "已停止"),
    # outcomes
    ("experiment_outcome_better", "the treatment is better", "实验组更好"),
    ("experiment_outcome_unclear", "no difference was found", "未发现差异"),
    ("experiment_outcome_stopped", "stopped by a person", "人工停止"),
    ("experiment_outcome_primary_worse", "the treatment is worse", "实验组更差"),
    ("experiment_outcome_sample_ratio_mismatch", "the arms' sizes are wrong", "两组人数比例不符"),
    ("experiment_outcome_control_changed", "another policy came into force", "生效策略已更换"),
    ("experiment_outcome_activation_changed", "what served the treatment was changed", "实验策略的生效记录被改动"),
    ("experiment_guardrail_lost", "a guardrail was violated: {metric}, {span}", "护栏指标被突破：{metric}（{span}）"),
    # standings
    ("experiment_better", "better", "更好"),
    ("experiment_worse", "worse", "更差"),
    ("experiment_safe", "safe", "安全"),
    ("experiment_violated", "violated", "已违反"),
    ("experiment_unclear", "unclear", "尚不明确"),
    ("experiment_unknown", "too few units", "用户太少"),
    # sentences
    (
        "experiment_arms",
        "{treatment} on {percent:g} % of the users, against {control}",
        "{treatment}（{percent:g}% 用户）对比 {control}",
    ),
    ("experiment_in_force", "what is in force", "生效中的策略"),
    ("experiment_span_all", "all days", "全部天数"),
    ("experiment_span_recent", "last 7 days", "最近 7 天"),
    (
        "experiment_looked",
        "day {day}: {control:,} on the control, {treatment:,} treated",
        "第 {day} 天：对照组 {control:,} 人，实验组 {treatment:,} 人",
    ),
    (
        "experiment_mismatch",
        "The arms' sizes aren't those that were planned (p = {p:.1g}): nothing is decided until that is explained.",
        "两组人数与计划比例不符（p = {p:.1g}）：查明原因前不作结论。",
    ),
    (
        "experiment_promote",
        "The treatment won. To give it to everybody: PATCH /v1/activations/{activation} with percent 100.",
        "实验组胜出。如需全量：将生效记录 {activation} 的比例改为 100。",
    ),
    ("experiment_none", "No experiment is on record.", "尚无实验。"),
    ("experiment_fixed", "one look at the end", "结束时看一次"),
    ("experiment_sequential", "a look a day, at the latest", "每天都看，最迟"),
    (
        "experiment_sized",
        "{effect:.1%} of {metric} ({value:.4g}) with power {power:.0%}",
        "以 {power:.0%} 的功效发现{metric}（{value:.4g}）变化 {effect:.1%}",
    ),
)
