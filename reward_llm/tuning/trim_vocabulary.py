"""A byte-level BPE tokenizer with fewer tokens, which splits known texts as before.

A token that is kept keeps the tokens that it is merged from. So every merge that a known text ever needs is there, in
the old order, and no other merge can come before it: the text is split as by the whole tokenizer. Early merges are
the most frequent ones; they fill what is left of the share that is to stay.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimmedVocabulary:
    """The tokens that stay: each new id's old one, and the tokenizer's files."""

    old_ids: tuple[int, ...]
    tokenizer: Mapping[str, Any]
    """What `tokenizer.json` is to hold."""

    @property
    def new_ids(self) -> dict[int, int]:
        """Each old id's new one."""
        return {old: new for new, old in enumerate(self.old_ids)}

    def write(self, base: Path, folder: Path) -> None:
        """Write the tokenizer, with the base's settings and chat template."""
        (folder / "tokenizer.json").write_text(json.dumps(self.tokenizer, ensure_ascii=False), "utf-8")
        settings = json.loads((base / "tokenizer_config.json").read_text("utf-8"))
        if "added_tokens_decoder" in settings:
            added = settings["added_tokens_decoder"].items()
            settings["added_tokens_decoder"] = {str(self.new_ids[int(old)]): token for old, token in added}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False, indent=2), "utf-8")
        for name in ("chat_template.jinja", "special_tokens_map.json"):
            if (base / name).is_file():
                (folder / name).write_bytes((base / name).read_bytes())


def trim_vocabulary(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], share: float) -> TrimmedVocabulary:
    """The vocabulary without most tokens that the texts don't use; at least `share` of the tokens stays.

    Bytes and added tokens, the special ones among them, always stay.
    """
    document = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary: dict[str, int] = document["model"]["vocab"]
    merges = [_pair(m) for m in document["model"]["merges"]]
    added = {t["id"] for t in document["added_tokens"]}
    words = {old: token for token, old in vocabulary.items()}
    kept = {vocabulary[token] for token in vocabulary if len(token) == 1} | added | _used(tokenizer, texts)
    parts = _parts(merges, vocabulary)
    kept = _closed(kept, parts)
    wanted = round(share * len(words.keys() | added))
    for token in sorted(words):
        if len(kept) >= wanted:
            break
        if token not in kept:
            kept = _closed({token}, parts) | kept
    old_ids = tuple(sorted(kept))
    new_ids = {old: new for new, old in enumerate(old_ids)}
    document["model"]["vocab"] = {token: new_ids[old] for token, old in vocabulary.items() if old in new_ids}
    document["model"]["merges"] = [[a, b] for a, b in merges if vocabulary[a + b] in new_ids]
    document["added_tokens"] = [{**t, "id": new_ids[t["id"]]} for t in document["added_tokens"]]
    _renumber(document.get("post_processor"), new_ids)
    return TrimmedVocabulary(old_ids=old_ids, tokenizer=document)


def _used(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> set[int]:
    used: set[int] = set()
    for group in _groups(texts):
        used.update(*tokenizer(group, add_special_tokens=False)["input_ids"])
    return used


def _groups(texts: Iterable[str]) -> Iterable[list[str]]:
    group: list[str] = []
    for text in texts:
        group.append(text)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _parts(merges: Iterable[tuple[str, str]], vocabulary: Mapping[str, int]) -> Mapping[int, set[int]]:
    """The tokens that a token is merged from, in whatever way."""
    parts: defaultdict[int, set[int]] = defaultdict(set)
    for left, right in merges:
        parts[vocabulary[left + right]] |= {vocabulary[left], vocabulary[right]}
    return parts


def _closed(tokens: Iterable[int], parts: Mapping[int, set[int]]) -> set[int]:
    """The tokens with all that they are merged from."""
    closed: set[int] = set()
    waiting = list(tokens)
    while waiting:
        token = waiting.pop()
        if token not in closed:
            closed.add(token)
            waiting.extend(parts.get(token, ()))
    return closed


def _renumber(part: Any, new_ids: Mapping[int, int]) -> None:
    """Give the special tokens of a post-processor, which may hold others, their new ids."""
    if isinstance(part, dict):
        for token in part.get("special_tokens", {}).values() if part.get("type") == "TemplateProcessing" else ():
            token["ids"] = [new_ids[i] for i in token["ids"]]
        for inner in part.get("processors", ()):
            _renumber(inner, new_ids)
