"""How dates and numbers look where Django's own habit is not ours."""
