"""What the displays say of the bench of re-rankers: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    (
        "bench_optimum",
        "{name}: shares of the best reward, {problems} problems, best by {best_by}",
        "{name}：占最优回报的比例，{problems} 个问题，最优解来自 {best_by}",
    ),
    ("bench_mean", "mean", "均值"),
    ("bench_p5", "p5", "p5"),
    ("bench_least", "least", "最小"),
    ("bench_at_least", "≥ greedy", "≥ 贪心"),
    ("bench_above", "> greedy", "> 贪心"),
    ("bench_ms", "ms", "毫秒"),
    ("bench_control", "each utility over its own weight", "各效用随自身权重的变化"),
    ("bench_curve", "0 → 1", "0 → 1"),
    ("bench_first", "at 0", "权重 0"),
    ("bench_last", "at 1", "权重 1"),
    ("bench_spearman", "Spearman", "Spearman"),
    ("bench_fall", "largest fall", "最大回落"),
    ("bench_range", "range", "可调幅度"),
    (
        "bench_latency",
        "{path}, {candidates} → {size}, one core: greedy p50 {greedy_p50:.2f} ms, p99 {greedy_p99:.2f} ms · "
        "whole path p50 {full_p50:.2f} ms, p99 {full_p99:.2f} ms · {lists:,.0f} greedy lists a second in batches",
        "{path}，{candidates} → {size}，单核：贪心 p50 {greedy_p50:.2f} 毫秒，p99 {greedy_p99:.2f} 毫秒 · "
        "完整路径 p50 {full_p50:.2f} 毫秒，p99 {full_p99:.2f} 毫秒 · 批量贪心每秒 {lists:,.0f} 个列表",
    ),
)
