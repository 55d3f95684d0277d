"""What the displays say of the worker and of what it remembers: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    ("duty", "duty", "任务"),
    ("duty_seconds", "seconds", "秒"),
    ("duty_outcome", "outcome", "结果"),
    ("duty_done", "done", "已完成"),
    # memory
    ("predicted", "predicted", "预测"),
    ("predicted_by", "predicted by", "预测来源"),
    ("predicted_by_nobody", "nobody", "无"),
    ("before_it", "before", "生效前"),
    ("after_days", "after {n} d", "{n} 天后"),
    ("after_hours", "after {n} h", "{n} 小时后"),
    (
        "remembered_nothing",
        "No weights of this goal are in force for long enough that anybody looked.",
        "该目标的权重尚未生效足够长的时间，还没有观测。",
    ),
)
