"""What is paid to whom: months and amounts, batches made of them, what became of each line."""
