"""What an agent may do with its tools, by what it has read: the policy, and who is asked."""
