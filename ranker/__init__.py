"""A list-wise re-ranker that obeys any weights over its utilities.

Given (user, candidates, weights) it gives the slate with the highest R_w = sum_k w_k U_k, for weights that come with
the request. It stands alone: nothing here knows where the weights come from.
"""
