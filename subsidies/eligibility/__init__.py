"""Who qualifies for a policy, and why: one SQL expression a criterion over one query of facts."""
