from __future__ import annotations

import dataclasses

import pytest
import torch

from ranker.config import EvaluatorConfig, InputConfig
from ranker.errors import ValueOutOfRange
from ranker.evaluator import Evaluator
from ranker.requests import EMPTY, SlatePredictions
from tests.ranker.model.cases import SHAPE, random_requests, replaced

CONFIG = EvaluatorConfig(input=InputConfig(id_width=3, hidden=8), channel=8, heads=2, slate=6, usual_slate=4)


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    torch.manual_seed(1)
    return Evaluator(SHAPE, CONFIG).frozen()


def alike(one: SlatePredictions, other: SlatePredictions) -> None:
    for field in dataclasses.fields(one):
        torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name), atol=1e-5, rtol=1e-4)


def test_slates_are_predicted_together_as_they_are_alone(evaluator: Evaluator) -> None:
    requests = random_requests(2, 7)
    slate_BSN = torch.tensor([[[0, 1, 2], [4, 3, EMPTY]], [[6, 0, 1], [2, EMPTY, EMPTY]]])
    together = evaluator.predict(requests, slate_BSN)
    for row in range(2):
        for slate in range(2):
            shown = slate_BSN[row, slate][slate_BSN[row, slate] != EMPTY]
            alone = evaluator.predict(requests.select([row]), shown[None, None])
            filled = len(shown)
            torch.testing.assert_close(together.click_BSN[row, slate, :filled], alone.click_BSN[0, 0])
            torch.testing.assert_close(together.purchase_BSN[row, slate, :filled], alone.purchase_BSN[0, 0])
            torch.testing.assert_close(together.satisfaction_BS[row, slate], alone.satisfaction_BS[0, 0])
            torch.testing.assert_close(together.retention_BS[row, slate], alone.retention_BS[0, 0])


def test_neither_padding_nor_the_order_of_candidates_changes_predictions(evaluator: Evaluator) -> None:
    requests, order_BM = random_requests(1, 5), torch.tensor([[3, 1, 4, 0, 2]])
    slate_BSN = torch.tensor([[[3, 0, 4]]])
    before = evaluator.predict(requests, slate_BSN)
    alike(evaluator.predict(requests.padded_to(9), slate_BSN), before)
    alike(evaluator.predict(requests.permuted(order_BM), order_BM.argsort(-1)[0][slate_BSN]), before)


def test_the_items_beside_and_the_order_change_predictions(evaluator: Evaluator) -> None:
    slate_BSN = torch.tensor([[[0, 1, 2], [0, 1, 3], [1, 0, 2]]])
    predictions = evaluator.predict(random_requests(1, 5), slate_BSN)
    assert predictions.click_BSN[0, 0, 0] != predictions.click_BSN[0, 1, 0]
    assert len(set(predictions.retention_BS[0].tolist())) == 3
    assert len(set(predictions.satisfaction_BS[0].tolist())) == 3


def test_predictions_are_probabilities_even_of_an_empty_slate(evaluator: Evaluator) -> None:
    slate_BSN = torch.full((2, 1, 3), EMPTY)
    predictions = evaluator.predict(random_requests(2, 4), slate_BSN)
    for field in dataclasses.fields(predictions):
        value = getattr(predictions, field.name)
        assert ((value >= 0) & (value <= 1)).all()
    assert (predictions.purchase_BSN <= predictions.click_BSN).all()


def test_an_averaged_position_is_examined_as_much_as_the_others(evaluator: Evaluator) -> None:
    even = Evaluator(SHAPE, dataclasses.replace(CONFIG, averaged_position=True))
    slate_BSN = torch.tensor([[[0, 1, 2, EMPTY]]])
    log_BSN = even.log_examination(slate_BSN)
    torch.testing.assert_close(log_BSN[0, 0], log_BSN[0, 0, :1].expand(4))
    by_position_N = evaluator.log_examination(slate_BSN)[0, 0, :3].exp()
    torch.testing.assert_close(log_BSN[0, 0, 0].exp(), by_position_N.mean())


def test_a_known_examination_is_taken_over(evaluator: Evaluator) -> None:
    fresh = Evaluator(SHAPE, CONFIG)
    fresh.examination.take_over(torch.tensor([0.8, 0.6, 0.4]))
    prob_N = fresh.examination.log_prob(6).exp()
    torch.testing.assert_close(prob_N[:3], torch.tensor([1.0, 0.75, 0.5]))
    assert (prob_N.diff() < 0).all()


def test_unknown_ids_count_as_zero(evaluator: Evaluator) -> None:
    requests = random_requests(1, 4)
    slate_BSN = torch.tensor([[[0, 1, 2]]])
    beyond = replaced(requests, item_id_BMC=torch.full_like(requests.item_id_BMC, 10_000))
    unknown = replaced(requests, item_id_BMC=torch.zeros_like(requests.item_id_BMC))
    alike(evaluator.predict(beyond, slate_BSN), evaluator.predict(unknown, slate_BSN))


def test_longer_slates_than_it_knows_are_refused(evaluator: Evaluator) -> None:
    with pytest.raises(ValueOutOfRange):
        evaluator.predict(random_requests(1, 8), torch.arange(7)[None, None])


def test_the_head_without_positions_counts_repeats_of_what_is_known_alone() -> None:
    torch.manual_seed(1)
    evaluator = Evaluator(SHAPE, CONFIG)
    alike_BM = torch.ones(1, 4, dtype=torch.int64)
    slate_BSN = torch.arange(4)[None, None]
    one = random_requests(1, 1)
    copies = {name: value.repeat_interleave(4, 1) for name, value in one.tensors().items() if name != "user_BF"}
    requests = replaced(one, **copies | {"seller_BM": alike_BM, "category_BM": alike_BM})
    repeated_N2 = evaluator.pointwise_logits(requests, slate_BSN)[0, 0]
    assert len({round(value, 4) for value in repeated_N2[:, 0].tolist()}) == 4
    unknown = replaced(requests, seller_BM=0 * alike_BM, category_BM=0 * alike_BM)
    alone_N2 = evaluator.pointwise_logits(unknown, slate_BSN)[0, 0]
    torch.testing.assert_close(alone_N2, alone_N2[:1].expand(4, 2))
