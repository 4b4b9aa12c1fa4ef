"""Why this answer: what was looked for, found, left out, given to the model, and what it cost."""
