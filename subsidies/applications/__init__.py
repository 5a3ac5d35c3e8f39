"""Applications for a benefit, from the first form to the county's confirmation."""
