"""What the displays say, in both languages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reward_llm.cli.controllers_wording import PHRASES as CONTROLLER_PHRASES
from reward_llm.cli.experiments_wording import PHRASES as EXPERIMENT_PHRASES
from reward_llm.cli.governance_wording import PHRASES
from reward_llm.cli.metrics_wording import PHRASES as METRICS_PHRASES
from reward_llm.cli.ranker_bench_wording import PHRASES as BENCH_PHRASES
from reward_llm.cli.ranker_wording import PHRASES as RANKER_PHRASES
from reward_llm.cli.ranking_wording import PHRASES as RANKING_PHRASES
from reward_llm.cli.search_wording import PHRASES as SEARCH_PHRASES
from reward_llm.cli.simulation_wording import PHRASES as SIMULATION_PHRASES
from reward_llm.cli.solve_wording import PHRASES as SOLVE_PHRASES
from reward_llm.cli.worker_wording import PHRASES as WORKER_PHRASES
from reward_llm.domain.scenario import Bilingual


class Lang(StrEnum):
    """The language of what people read."""

    EN = "en"
    ZH = "zh"


def system_lang(environ: Mapping[str, str] = os.environ) -> Lang:
    """The language of the locale; English where it names neither.

    >>> system_lang({"LANG": "zh_CN.UTF-8"}).value
    'zh'
    """
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return Lang.ZH if locale.lower().startswith("zh") else Lang.EN


def say(key: str, lang: Lang, **values: object) -> str:
    """A phrase with its values put in; a word that the catalogue doesn't know stands for itself."""
    phrase = _PHRASES.get(key)
    return str(getattr(phrase, lang)).format(**values) if phrase else key


_PHRASES: Final = {
    key: Bilingual(en=en, zh=zh)
    for key, en, zh in (
        *PHRASES,
        *BENCH_PHRASES,
        *CONTROLLER_PHRASES,
        *EXPERIMENT_PHRASES,
        *METRICS_PHRASES,
        *RANKER_PHRASES,
        *RANKING_PHRASES,
        *SEARCH_PHRASES,
        *SIMULATION_PHRASES,
        *SOLVE_PHRASES,
        *WORKER_PHRASES,
        # headings
        ("goal", "Goal", "目标"),
        ("weights", "Weights", "权重"),
        ("utility", "utility", "效用"),
        ("direction", "direction", "方向"),
        ("emphasis", "emphasis", "力度"),
        ("role", "role", "角色"),
        ("target", "target", "目标值"),
        ("evidence", "evidence", "依据"),
        ("confidence", "conf.", "置信度"),
        ("read_by", "read by", "解读者"),
        ("before_after", "before → after", "原值 → 新值"),
        ("weight", "weight", "权重"),
        ("change", "change", "变化"),
        ("bounds", "bounds", "范围"),
        ("source", "source", "来源"),
        ("policy", "policy", "策略"),
        ("dates", "dates", "日期"),
        ("next", "next", "下一步"),
        # readings
        ("raise", "raise", "提升"),
        ("lower", "lower", "降低"),
        ("hold", "hold", "守住"),
        ("slight", "slight", "略微"),
        ("clear", "clear", "明确"),
        ("dominant", "dominant", "首要"),
        ("objective", "objective", "优化项"),
        ("guardrail", "guardrail", "护栏"),
        ("model", "model", "模型"),
        ("rules", "rules", "规则"),
        ("vllm", "vLLM", "vLLM"),
        ("embedded", "embedded model", "内置模型"),
        ("last_known_good", "last known good", "上一次可用的策略"),
        ("default", "scenario default", "场景默认值"),
        ("human", "a person", "人工"),
        ("received", "received", "已收到"),
        ("proposed", "proposed", "待激活"),
        ("no_change", "no change", "不变"),
        ("activated", "activated", "已激活"),
        # sentences
        (
            "nothing_asked",
            "Nothing in this goal asks for what a utility measures; the weights stay as they are.",
            "这段话没有提到任何可衡量的效用，权重保持不变。",
        ),
        ("unread", "This goal is on record and has not been read yet.", "目标已登记，尚未解读。"),
        ("fallback", "A fallback answered: {reason}", "由后备方案作答：{reason}"),
        (
            "low_confidence",
            "Needs a person: confidence {confidence:.2f} is below {threshold:.2f}.",
            "需要人工确认：置信度 {confidence:.2f} 低于 {threshold:.2f}。",
        ),
        (
            "no_confidence",
            "Needs a person: the model didn't say how sure it is.",
            "需要人工确认：模型没有给出置信度。",
        ),
        (
            "read_by_rules",
            "Needs a person: a list of words read this goal, not a model.",
            "需要人工确认：这个目标由词表规则解读，而非模型。",
        ),
        (
            "packaged_prompt",
            "It was read with the prompt that ships, not with production's: {reason}",
            "使用了随附的提示词，而非 production 版本：{reason}",
        ),
        ("or_read_as", "or read as", "也可能是"),
        ("activate_anyway", "Activate it all the same?", "仍要激活吗？"),
        ("now_activated", "Activated {policy}.", "已激活 {policy}。"),
        ("not_activated", "Not activated.", "未激活。"),
        ("bar_legend", "█ kept  ▓ gained  ░ given up  · allowed", "█ 保留  ▓ 增加  ░ 让出  · 允许范围"),
        ("to_activate", "activate:", "激活："),
        ("to_look_up", "look up:", "查询："),
        ("nothing_to_activate", "There is nothing to activate.", "没有需要激活的策略。"),
        ("version", "version {version}", "第 {version} 版"),
        ("stale", "stale: not confirmed against the database for {age} s", "可能过期：已有 {age} 秒未与数据库核对"),
        ("until", "until {moment}", "有效至 {moment}"),
        # prompts
        ("prompt", "prompt", "提示词"),
        ("versions", "versions", "版本数"),
        ("version_number", "version", "版本"),
        ("labels", "labels", "标签"),
        ("description", "description", "说明"),
        ("hash", "content hash", "内容哈希"),
        ("author", "author", "作者"),
        ("created", "created", "创建时间"),
        ("reason", "reason", "理由"),
        ("field", "field", "字段"),
        ("before", "before", "原值"),
        ("after", "after", "新值"),
        ("revision", "revision", "修订"),
        ("from_to", "from → to", "原版本 → 新版本"),
        ("who", "moved by", "操作人"),
        ("when", "when", "时间"),
        ("overridden_by", "overridden by", "越权放行人"),
        ("golden_set", "Golden set", "黄金集"),
        ("golden_goal", "goal", "目标"),
        ("text", "text", "文本"),
        ("expected", "expected", "应读作"),
        ("read_as", "read as", "读作"),
        ("score", "score", "得分"),
        ("right", "right", "正确"),
        ("directional", "asks for something", "有诉求"),
        ("kind", "kind", "类型"),
        ("lang", "language", "语言"),
        ("of_threshold", "({threshold} is needed for production)", "（投产需达到 {threshold}）"),
        ("measuring", "measuring {prompt}", "正在评测 {prompt}"),
        ("more_failures", "and {count} more", "另有 {count} 条"),
        ("same_prompts", "The two versions are the same.", "两个版本内容相同。"),
        ("now_labelled", "{label} stands on {prompt}.", "{label} 已指向 {prompt}。"),
        ("consented", "Consented to {prompt}: {names}.", "已同意放行 {prompt}：{names}。"),
        ("to_measure", "measure:", "评测："),
        ("to_promote", "promote:", "投产："),
        (
            "prompt_use_user_turn",
            "This goal model was trained on the task: it sees the prompt's user turn alone.",
            "该目标模型已针对此任务训练，只读取提示词中的用户轮次。",
        ),
        ("prompt_use_none", "The rules see nothing of the prompt.", "规则解读不使用提示词。"),
    )
}
