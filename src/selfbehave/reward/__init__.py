"""A reward for reinforcement learning: how far completions climb the ladder, as numbers.

`BehaveReward` scores many completions at once, in the sandbox. It can be called as the reward
function of TRL's `GRPOTrainer`. `rewards` scores plain texts with it.
"""

from .behave_reward import BehaveReward, Scored, rewards
from .weights import Evidence, Weights, score

__all__ = ["BehaveReward", "Evidence", "Scored", "Weights", "rewards", "score"]
