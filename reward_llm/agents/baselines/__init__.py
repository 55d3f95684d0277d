"""What the market's agents are measured against."""
