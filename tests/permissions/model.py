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

    def role(self, person: str, thing: str) -> str | None:
        if person in self.disabled or thing not in self.owners:
            return None
        if self.owners[thing] == person:
            return OWNER
        mine = {person, EVERYONE} | {
            team for team, members in self.teams.items() if person in members
        }
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
