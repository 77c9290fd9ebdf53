"""The ground floor: errors that help, atomic files, hashes. Knows nothing of genes or models."""
