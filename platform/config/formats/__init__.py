"""How dates look where Django's own habit is not ours."""
