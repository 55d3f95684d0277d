"""How good a checkpoint is: near the best slates, obedient to weights, fast.

| module | what it asks |
|---|---|
| `optimum` | what share of the best slate's reward rankers and plain searches reach |
| `control` | whether a utility rises with its weight, and how far |
| `latency` | how long the scorer takes |
| `price` | what one model for all weights loses against one a weight vector |
| `separable` | requests whose best slate can be proven, and an actor for them |
| `ground` | what actors are trained and judged on |
| `report` | all that `reward-llm ranker bench` answers |
"""
