"""What the displays say of training re-rankers: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    (
        "ranker_trained",
        "{trained:,} lists to learn from, {assessed:,} later ones for the scores, slates of {size}",
        "{trained:,} 个列表用于训练，{assessed:,} 个更晚的列表用于评分，每页 {size} 个位置",
    ),
    (
        "ranker_course",
        "evaluator: {evaluator:,} steps · actor: {actor:,} steps · {minutes:.1f} min",
        "评估器 {evaluator:,} 步 · 生成器 {actor:,} 步 · {minutes:.1f} 分钟",
    ),
    (
        "ranker_resumed",
        "went on from step {evaluator:,} of the evaluator and step {actor:,} of the actor",
        "从评估器第 {evaluator:,} 步、生成器第 {actor:,} 步继续",
    ),
    ("ranker_predictions", "predictions, on {lists:,} lists", "预测，共 {lists:,} 个列表"),
    ("ranker_value", "value", "数值"),
    ("ranker_rewards", "mean reward of {lists:,} slates by", "{lists:,} 个页面的平均回报，权重为"),
    ("ranker_actor", "actor", "生成器"),
    ("ranker_greedy", "greedy", "贪心"),
    ("ranker_logged", "as logged", "日志原序"),
    ("ranker_better", "better than logged", "优于日志"),
    ("ranker_at_least", "at least greedy", "不低于贪心"),
    (
        "ranker_kept",
        "kept in {folder}: the card is README.md, the course curves.html",
        "已保存到 {folder}：说明见 README.md，训练曲线见 curves.html",
    ),
    ("ranker_written", "{lists:,} lists in {file}", "{lists:,} 个列表已写入 {file}"),
    # rows, by their English names
    *(
        (english, english, chinese)
        for english, chinese in (
            ("click: area under the curve", "点击：AUC"),
            ("the same, told by the position alone", "点击：仅凭位置的 AUC"),
            ("click: log loss", "点击：对数损失"),
            ("click: calibration error", "点击：校准误差"),
            ("purchase: area under the curve", "购买：AUC"),
            ("purchase: calibration error", "购买：校准误差"),
            ("return: area under the curve", "次日回访：AUC"),
            ("return: calibration error", "次日回访：校准误差"),
            ("satisfaction: root mean squared error", "满意度：均方根误差"),
            ("drawn uniformly", "均匀抽取"),
            ("all equal", "全部相等"),
        )
    ),
)
