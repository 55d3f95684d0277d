"""What the displays say of controllers: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # headings
    ("controller", "controller", "控制器"),
    ("controller_state", "state", "状态"),
    ("controller_holds", "holds", "控制目标"),
    ("controller_setpoint", "set-point", "设定值"),
    ("controller_at", "when", "时间"),
    ("controller_did", "what it did", "动作"),
    ("controller_none", "No controller is on record.", "尚无控制器。"),
    # states
    ("controller_proposed", "waits for approval", "等待批准"),
    ("controller_running", "running", "运行中"),
    ("controller_paused", "paused", "已暂停"),
    ("controller_overtaken", "overtaken", "已让位"),
    ("controller_ended", "ended", "已结束"),
    # looks
    ("held_dead_band", "near enough", "已足够接近"),
    ("held_settled", "the weight is right", "权重合适"),
    ("held_stale", "held: the feed is stale", "保持：数据已过期"),
    ("held_few", "held: too few events", "保持：事件太少"),
    ("held_unmeasured", "held: nobody measures", "保持：无法测量"),
    ("held_frozen", "held: the scope is frozen", "保持：范围已冻结"),
    ("held_rollout", "held: a rollout goes on", "保持：正在灰度"),
    ("held_early", "held: it hasn't begun", "保持：尚未开始"),
    ("held_refused", "the move was refused", "移动被拒绝"),
    # sentences
    (
        "controller_limits",
        "{utility} between {low:g} and {high:g}, at most {slew:g} every {period:g} s; errors up to {band:g} and "
        "events older than {stale:g} s move nothing",
        "{utility} 在 {low:g} 与 {high:g} 之间，每 {period:g} 秒最多移动 {slew:g}；误差不超过 {band:g} "
        "或事件早于 {stale:g} 秒时不动",
    ),
    ("controller_missing", "approvals missing: {count} ({why})", "还缺批准：{count}（{why}）"),
)
