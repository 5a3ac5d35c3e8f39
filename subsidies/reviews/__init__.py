"""The yearly review (年审): every line of a roll tested again, and who is missing from it."""
