"""Tools of other people's MCP servers, for agents here.

`models` are the servers and the definitions of their tools; `pinning` says which definition was
approved, `naming` under which name models call a tool; `connecting` speaks the protocol, `listing`
and `calling` use it, `results` make of an answer what a model may read; `services` are the writes,
`provider` gives a run its tools.
"""
