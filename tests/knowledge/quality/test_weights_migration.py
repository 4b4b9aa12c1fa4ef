"""Weights that were applied before they named a model get the one they were measured with."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User

pytestmark = pytest.mark.django_db

BEFORE, AFTER = "0034_counts_without_parts", "0035_weights_of_an_embedder"


def migrate(name: str) -> Any:
    """The app's models as they were then; in the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
    executor = MigrationExecutor(connection)
    return executor.migrate([("knowledge", name)]).apps


class Old:
    """Rows as version 0034 knew them."""

    def __init__(self, apps: Any, owner: User) -> None:
        self.model = lambda name: apps.get_model("knowledge", name).objects
        self.owner = owner

    def collection(self, name: str, *tunings: tuple[str, str | None], scripts: int = 1) -> str:
        """With weights of so many scripts, and tunings (state, embedder), the oldest first."""
        made = self.model("Collection").create(owner_id=self.owner.pk, name=name)
        for script in ("cjk", "latin")[:scripts]:
            self.model("SearchWeights").create(
                collection=made, script=script, dense=0.3, threshold=0.5, rerank_depth=10
            )
        for state, embedder in tunings:
            settings = {} if embedder is None else {"embedder": embedder, "chunker": "4"}
            self.model("QualityTuning").create(collection=made, state=state, settings=settings)
        return str(made.pk)


def test_each_collection_s_weights_name_the_model_of_its_last_applied_tuning(alice) -> None:
    old = Old(migrate(BEFORE), alice)
    assert "embedder" not in {field.name for field in old.model("SearchWeights").model._meta.fields}
    applied = old.collection(
        "Applied",
        ("applied", "1:all-MiniLM-L6-v2:384:float"),
        ("applied", "3:bge-m3:1024:half"),  # the later one is what is searched by
        ("reverted", "4:e5-large:1024:float"),
        ("ready", "5:other:8:binary"),
        scripts=2,
    )
    colons = old.collection("Colons", ("applied", "7:org/model:v2:384:binary"))
    proposed = old.collection("Only proposed", ("ready", "3:bge-m3:1024:half"))
    reverted = old.collection("Taken back", ("reverted", "3:bge-m3:1024:half"))
    by_hand = old.collection("By hand")
    unnamed = old.collection("Before it was noted", ("applied", None))

    weights = migrate(AFTER).get_model("knowledge", "SearchWeights").objects
    found: dict[str, set[str]] = {}
    for pk, embedder in weights.values_list("collection_id", "embedder"):
        found.setdefault(str(pk), set()).add(embedder)
    assert found == {
        applied: {"bge-m3"}, colons: {"org/model:v2"}, proposed: {""}, reverted: {""},
        by_hand: {""}, unnamed: {""},
    }  # fmt: skip
    assert weights.filter(collection_id=applied).count() == 2
    kept = set(weights.values_list("dense", "threshold", "rerank_depth"))
    assert kept == {(0.3, 0.5, 10)}  # what was measured stays


def test_it_is_taken_back_and_made_again(alice) -> None:
    old = Old(migrate(BEFORE), alice)
    old.collection("Applied", ("applied", "3:bge-m3:1024:half"))
    migrate(AFTER)
    migrate(BEFORE)
    weights = migrate(AFTER).get_model("knowledge", "SearchWeights").objects
    assert weights.get().embedder == "bge-m3"
