"""What the displays say of reviews, schedules and scopes: key, English, Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final = (
    # states of a policy and of an activation
    ("draft", "draft", "草稿"),
    ("in_review", "in review", "评审中"),
    ("approved", "approved", "已批准"),
    ("scheduled", "scheduled", "已排期"),
    ("active", "active", "生效中"),
    ("superseded", "superseded", "已被取代"),
    ("expired", "expired", "已过期"),
    ("rolled_back", "rolled back", "已回滚"),
    ("rejected", "rejected", "已驳回"),
    ("withdrawn", "withdrawn", "已撤回"),
    ("running", "running", "进行中"),
    ("over", "over", "已结束"),
    ("cancelled", "cancelled", "已取消"),
    # headings
    ("review", "review", "评审"),
    ("state", "State", "状态"),
    ("scope", "Scope", "范围"),
    ("rollout", "rollout", "灰度比例"),
    ("since", "from", "开始"),
    ("through", "until", "结束"),
    ("activation", "activation", "激活编号"),
    ("served", "Served", "当前下发"),
    ("stack", "In force, the winning one first", "生效中的激活，优先者在前"),
    ("inherited", "Below them, of the whole scenario", "其下方，来自整个场景"),
    ("coming", "To come", "即将开始"),
    # who won
    ("rule_segment", "the segment's activation", "人群的激活"),
    ("rule_scenario", "the scenario's activation", "场景的激活"),
    ("rule_default", "nothing is activated: the defaults", "未激活任何策略，使用默认值"),
    ("rule_frozen", "frozen: the defaults", "已冻结，使用默认值"),
    # decisions
    ("approve", "approved by {by}", "{by} 已批准"),
    ("reject", "rejected by {by}", "{by} 已驳回"),
    ("approvals", "{given} of {approvals} approvals", "已获 {given} / 共需 {approvals} 个批准"),
    ("no_approvals", "needs no approval", "无需批准"),
    ("self_approval", "the author's own counts", "作者本人的批准有效"),
    ("next_approve", "a reviewer approves:", "评审人批准："),
    ("next_undo", "undo:", "撤销："),
    # schedules and scopes
    ("everybody", "everybody", "全部用户"),
    ("open_end", "open", "无限期"),
    ("no_activations", "Nothing is in force or scheduled.", "没有生效或已排期的激活。"),
    ("no_conflicts", "It cuts into nothing.", "没有时间冲突。"),
    ("conflicting", "It would cut into these windows:", "会与以下时间段冲突："),
    (
        "activated_for",
        "{policy} (version {version}) is activated for {scope}",
        "{policy}（第 {version} 版）已在 {scope} 激活",
    ),
    ("activation_now", "activation {sequence} is {state}", "激活 {sequence}：{state}"),
    ("frozen_line", "Frozen since {at} by {by}: {reason}", "自 {at} 起由 {by} 冻结：{reason}"),
    ("is_frozen", "{scope} is frozen and serves the defaults.", "{scope} 已冻结，使用默认值。"),
    ("is_not_frozen", "{scope} is not frozen.", "{scope} 未冻结。"),
    ("taken_out", "Taken out of force: {policies}", "已停止生效：{policies}"),
)
