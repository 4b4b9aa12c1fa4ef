"""The OpenAI protocol at `/v1`: models and agents for programs that speak it already.

    callers      who is calling, and the body they sent
    catalogue    what a model name means to this person; the list of names
    fields       a body of chat completions as a ChatRequest
    sources      an answer as chunks of the protocol, from a model or from an agent
    assembly     chunks put together to a whole completion
    pump         chunks on their way to a client: everything there is in one write
    chat, completions, responses, embeddings, rerank
                 one address each
    errors       what went wrong, as OpenAI says it

Whoever the answer comes from, it is a stream of chunks first; a client that does not stream gets
them put together. Texts are in English, as programs and their logs expect them here.
"""
