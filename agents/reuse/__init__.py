"""Answers that are given again: to the same prompt, or to a question that means the same."""
