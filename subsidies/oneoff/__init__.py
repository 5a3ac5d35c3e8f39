"""专项: pensions, scholarship stages, exam points, village workers' pay, and the average wages."""
