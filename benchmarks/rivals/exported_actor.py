"""The actor's greedy path as `torch.export` sees it: compiled by AOTInductor, or run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

import ranker.actor
from ranker.actor import Actor
from ranker.requests import Requests

Call = Callable[[Requests, dict[str, Tensor]], Tensor]


class Writer(nn.Module):
    """Writes greedy slates of one size from a request's tensors."""

    def __init__(self, actor: Actor, size: int) -> None:
        super().__init__()
        self.actor, self.size = actor, size

    def forward(self, tensors: dict[str, Tensor], sensitive: dict[str, Tensor]) -> Tensor:
        """Give the slates."""
        return self.actor.write(Requests(**tensors), sensitive, self.size)


def by_inductor(actor: Actor, requests: Requests, sensitive: dict[str, Tensor], size: int, folder: Path) -> Call:
    """Compile for these requests' shape, which takes about a minute."""
    program = torch.export.export(Writer(actor, size), (requests.tensors(), sensitive))
    package = torch._inductor.aoti_compile_and_package(  # type: ignore[no-untyped-call]
        program, package_path=str(folder / "actor.pt2"), inductor_configs={"cpp.threads": 1}
    )
    loaded = torch._inductor.aoti_load_package(package)  # type: ignore[no-untyped-call]
    return lambda requests, sensitive: loaded(requests.tensors(), sensitive)


def by_onnx(actor: Actor, requests: Requests, sensitive: dict[str, Tensor], size: int, folder: Path) -> Call:
    """Export for these requests' shape; needs `onnx`, `onnxscript` and `onnxruntime`."""
    import onnxruntime  # type: ignore[import-not-found]  # noqa: PLC0415

    file = folder / "actor.onnx"
    with _without_choices_of_bools():
        program = torch.export.export(Writer(actor, size), (requests.tensors(), sensitive))
    exported = torch.onnx.export(program, dynamo=True, verbose=False)
    assert exported is not None  # noqa: S101
    exported.save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def call(requests: Requests, sensitive: dict[str, Tensor]) -> Tensor:
        known = {f"tensors_{name}".lower(): value for name, value in requests.tensors().items()}
        known |= {f"sensitive_{name}": value for name, value in sensitive.items()}
        return torch.from_numpy(session.run(None, {name: known[name].numpy() for name in names})[0])

    return call


@contextmanager
def _without_choices_of_bools() -> Iterator[None]:
    """ONNX Runtime has no `Where` of bools, which the masks are written with."""
    usual = ranker.actor.closed_slots

    def closed_slots(requests: Requests, size: int) -> Tensor:
        allowed_BM = requests.allowed_BM
        bound_BM = allowed_BM & (requests.pinned_BM >= 0)
        here_BNM = bound_BM.unsqueeze(1) & (requests.pinned_BM.unsqueeze(1) == torch.arange(size).unsqueeze(-1))
        pinned_BN1 = here_BNM.any(-1, keepdim=True)
        return (pinned_BN1 & ~here_BNM) | (~pinned_BN1 & (~allowed_BM | bound_BM).unsqueeze(1))

    ranker.actor.closed_slots = closed_slots
    try:
        yield
    finally:
        ranker.actor.closed_slots = usual
