"""Response surfaces: what is expected of weights, fitted to what was tried."""
