"""What is in a collection, in numbers that are kept up to date by triggers."""

from django.db import models

from security.ids import new_id


class ContentSum(models.Model):
    """Of a collection, the rows together: how many documents can be searched, and the sum of their
    hashes (id, version, bytes); each change of a passage by a curator adds to that sum.

    Every change of a document adds a row, so that nobody waits for anybody's lock; the clock makes
    one of many (`knowledge.state.fold`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection_id = models.UUIDField(db_index=True)
    documents = models.IntegerField()
    total = models.DecimalField(max_digits=60, decimal_places=0)

    def __str__(self) -> str:
        return str(self.collection_id)


class DocumentCount(models.Model):
    """Of a collection and a state, the rows together: how many documents, with how many passages
    and bytes, without those with readers of their own. As of `ContentSum`, each change adds rows;
    the clock makes one of many (`knowledge.counts.fold`)."""

    id = models.BigAutoField(primary_key=True)
    collection_id = models.UUIDField(db_index=True)
    status = models.CharField(max_length=8)
    documents = models.BigIntegerField()
    passages = models.BigIntegerField()
    bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.collection_id} {self.status}"
