"""Who else sees a conversation: people and teams by grants, whoever has a link by links."""
