"""What one does with an answer: compare, choose, rate, go on elsewhere from it."""
