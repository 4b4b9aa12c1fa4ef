"""What agents may do only after the person said yes: the questions, the answers, and what they
allowed for longer."""
