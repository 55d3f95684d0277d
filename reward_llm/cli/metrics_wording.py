"""What the displays say of online metrics: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # headings
    ("online_metrics", "Metrics", "指标"),
    ("metric", "metric", "指标"),
    ("measured_value", "value", "数值"),
    ("measured_interval", "{confidence:.0%} interval", "{confidence:.0%} 区间"),
    ("measured_events", "out of", "样本数"),
    # metrics
    ("metric_ctr", "CTR", "点击率"),
    ("metric_conversion", "purchases per click", "每次点击的购买数"),
    ("metric_gmv", "GMV", "成交额"),
    ("metric_dwell", "dwell, s", "停留时长（秒）"),
    ("metric_interest_diversity", "interest diversity", "兴趣多样性"),
    ("metric_cold_start_share", "cold-start share", "冷启动曝光占比"),
    ("metric_cold_start_success", "cold-start success", "冷启动成功率"),
    ("metric_next_day_retention", "next-day retention", "次日留存"),
    ("metric_ndcg", "NDCG", "NDCG"),
    ("metric_mrr", "MRR", "MRR"),
    ("metric_boost_spend", "boost spend", "加热花费"),
    ("metric_boost_cost", "boost cost per completed view", "每次新内容完播的加热成本"),
    # sentences
    ("measured", "{scope}, the {window} until {until}", "{scope}，截至 {until} 的 {window}"),
    ("measured_policies", "policies seen: {policies}", "出现过的策略：{policies}"),
    ("measured_share", "estimated from {share:.1%} of the users", "由 {share:.1%} 的用户估计"),
    ("measured_newest", "last event: {moment}", "最近一次事件：{moment}"),
    ("measured_nothing", "No event of {scenario} came in yet.", "{scenario} 尚未收到任何事件。"),
)
