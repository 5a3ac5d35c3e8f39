"""Money paid wrongly: what was paid too much, and what is asked back until it is there."""
