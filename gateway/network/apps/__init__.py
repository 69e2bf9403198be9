"""Apps that speak the client API: how they register, how people let them in, and the tokens by which they act."""
