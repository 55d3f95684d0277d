"""What showing one candidate means for another.

From these pairs come both the features within the candidate set (`ranker.augment`) and the local context of the
decoder, which only adds up the rows of what it chose: a slot costs O(M).

B batch, M candidates, R relations.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.requests import Requests

RELATIONS: Final = 6
"""R: same seller; same category; the first is of a later group; of an earlier one; both are new; only the second."""
REPEATS: Final = 2
"""The first of them, repeats of the seller and the category."""


def relations(requests: Requests) -> Tensor:
    """The relations of the first candidate to the second as `relation_BMMR`, each 0 or 1.

    All unknown sellers count as one, and so do all unknown categories, as in the utilities. Padding is related to
    nothing.
    """
    key_BMK = torch.stack([requests.seller_BM, requests.category_BM, requests.group_BM], dim=-1)
    first_BM1K, second_B1MK = key_BMK.unsqueeze(2), key_BMK.unsqueeze(1)
    same_BMM2 = (first_BM1K == second_B1MK)[..., :REPEATS]
    later_BMM1 = (first_BM1K > second_B1MK)[..., REPEATS:]
    earlier_BMM1 = (first_BM1K < second_B1MK)[..., REPEATS:]
    first_new_BMM2 = torch.stack([requests.is_new_BM, ~requests.is_new_BM], dim=-1).unsqueeze(2)
    new_BMM2 = first_new_BMM2 & requests.is_new_BM[:, None, :, None]
    pair_BMM1 = (requests.valid_BM.unsqueeze(2) & requests.valid_BM.unsqueeze(1)).unsqueeze(-1)
    return (torch.cat([same_BMM2, later_BMM1, earlier_BMM1, new_BMM2], dim=-1) & pair_BMM1).float()
