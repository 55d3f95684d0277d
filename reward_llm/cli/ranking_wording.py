"""What the displays say of previews and explanations: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # headings
    ("preview", "Preview", "预览"),
    ("request", "Request", "请求"),
    ("expected_value", "expected", "预期值"),
    ("interval", "{confidence:.0%} interval of the change", "变化的 {confidence:.0%} 区间"),
    ("influence", "influence", "影响占比"),
    ("slot", "slot", "位置"),
    ("slate_before", "now", "当前"),
    ("slate_after", "then", "之后"),
    ("moved", "moved", "移动"),
    ("item", "item", "条目"),
    ("worth", "worth", "贡献"),
    ("worth_of", "of it", "其中"),
    ("moved_by", "moved by", "由谁移动"),
    # words
    ("moved_in", "in", "进入"),
    ("moved_out", "out", "移出"),
    ("is_new", "{days:g} d", "{days:g} 天"),
    # sentences
    ("previewing", "trying the weights on logged requests", "正在用历史请求试算权重"),
    ("explaining", "ranking the request", "正在排序该请求"),
    (
        "preview_of",
        "{requests} logged requests, {size} slots each, against {policy}",
        "{requests} 个历史请求，每页 {size} 个位置，对比 {policy}",
    ),
    (
        "preview_slates",
        "{changed:.0%} of the slates change, {replaced:.0%} of the slots show something else",
        "{changed:.0%} 的页面有变化，{replaced:.0%} 的位置换了条目",
    ),
    (
        "preview_score",
        "score of the new slates against those now, by the new weights: {mean:+.4f} ({low:+.4f} to {high:+.4f})",
        "按新权重计分，新页面与当前页面之差：{mean:+.4f}（{low:+.4f} 至 {high:+.4f}）",
    ),
    (
        "preview_basis",
        "● mean  ─ interval  │ no change · expected by the ranker's evaluator, not observed · influence: share of the"
        " score's variance",
        "● 均值  ─ 区间  │ 无变化 · 由评估器预测，并非实测 · 影响占比：得分方差中的份额",
    ),
    ("preview_gate", "The gate would refuse these weights:", "这组权重无法通过校验："),
    ("not_measured", "not measured by the ranker: {names}", "排序模型不度量：{names}"),
    ("example_request", "request {request}", "请求 {request}"),
    (
        "explain_basis",
        "worth: what the score loses without the item · moved by: utilities without which it would stand elsewhere",
        "贡献：去掉该条目后得分的减少量 · 由谁移动：若不计该效用，条目会处于别处",
    ),
)
