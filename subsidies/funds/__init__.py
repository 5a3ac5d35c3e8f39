"""The money of townships for each policy and year: pages over the ledger."""
