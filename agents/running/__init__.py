"""A run with tools: words of the model, its calls, what comes of them, until it has answered."""
