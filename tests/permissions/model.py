"""Who may do what, told a second time and as simply as possible: the reference for random tests."""

from dataclasses import dataclass, field

OWNER, EDITOR, READER = "owner", "editor", "reader"
RANK = {READER: 1, EDITOR: 2, OWNER: 3}
EVERYONE = "everyone"


@dataclass
class House:
    """People, teams and things by name; `grants` maps (thing, person or team) to a role."""

    owners: dict[str, str]
    people: set[str]
    teams: dict[str, set[str]]
    grants: dict[tuple[str, str], str] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)
    """(the collection of a document, person or team) that the document is shared with by itself."""
    kept: set[str] = field(default_factory=set)
    """Collections whose document is kept from their readers."""

    def reads_document(self, person: str, collection: str) -> bool:
        """The one document of a collection."""
        if person in self.disabled or collection not in self.owners:
            return False
        role = self.role(person, collection)
        is_named = any(what == collection and who in self.mine(person) for what, who in self.named)
        return (
            role in (OWNER, EDITOR) or is_named or (role == READER and collection not in self.kept)
        )

    def mine(self, person: str) -> set[str]:
        teams = {team for team, members in self.teams.items() if person in members}
        return {person, EVERYONE} | teams

    def role(self, person: str, thing: str) -> str | None:
        if person in self.disabled or thing not in self.owners:
            return None
        if self.owners[thing] == person:
            return OWNER
        mine = self.mine(person)
        roles = [role for (what, who), role in self.grants.items() if what == thing and who in mine]
        return max(roles, key=RANK.__getitem__, default=None)

    def seen_by(self, person: str) -> dict[str, str]:
        """The things the person may see, with their role."""
        roles = {thing: self.role(person, thing) for thing in self.owners}
        return {thing: role for thing, role in roles.items() if role}

    def may_share(self, actor: str, thing: str, grantee: str, role: str) -> bool:
        if self.role(actor, thing) != OWNER or grantee == self.owners[thing]:
            return False
        return (grantee, role) != (EVERYONE, OWNER)

    def delete(self, thing: str) -> None:
        del self.owners[thing]
        self.grants = {key: role for key, role in self.grants.items() if key[0] != thing}
        self.named = {key for key in self.named if key[0] != thing}
