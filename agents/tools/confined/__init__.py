"""Work of tools on what others made, in a process of its own that can reach nothing else.

`running` starts it and ends it in time; `child` gives up all rights before it looks at anything;
the other modules are what it does, and import neither Django nor anything of ours that does.
"""
