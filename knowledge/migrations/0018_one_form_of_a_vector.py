from typing import ClassVar

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Reads the vectors once, in a transaction of its own; nobody waits for it."""

    dependencies: ClassVar = [("knowledge", "0017_embedding_versions")]

    operations: ClassVar = [ValidateConstraint("embedding", "one_form_of_a_vector")]
