"""What comes: who enters and leaves each policy in the next twelve months, and what-if for the budget."""
