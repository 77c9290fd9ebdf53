"""What notebooks call: reports, results, claims, tables, figures, explorables."""
