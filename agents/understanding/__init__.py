"""What a question means for the search, before anything is searched.

`knowledge.retrieval.understanding` are the rules; here a model writes further queries where an
agent or a collection wants that (`writing`, with its prompt and its replies), glossaries are read,
and all of it becomes one search (`asking`).
"""
