"""How agents learn: PPO with a central critic, and MADDPG to compare it with."""
