"""`POST /v1/responses`: the newer protocol, told as a chat completion and back.

reading   the body: input items as messages, functions as tools; what is refused
output    the items of an answer as its chunks come in, and the events that tell of them
view      the address
"""
