from django.db import models
from django.db.models.functions import MD5, Lower
from django.utils.translation import gettext_lazy as _

from accounts.access import PrivateQuerySet
from accounts.models import User
from security.ids import new_id

LONGEST = 500  # characters: a fact, not a document


class MemoryQuerySet(PrivateQuerySet["Memory"]):
    """A memory is for the person it is about, and for nobody else."""


class Memory(models.Model):
    """One thing about a person, said or written by them."""

    class Origin(models.TextChoices):
        WRITTEN = "written", _("written in settings")
        ASKED = "asked", _("you asked for it")
        NOTICED = "noticed", _("you mentioned it")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memories")
    text = models.CharField(_("text"), max_length=LONGEST)
    origin = models.CharField(
        _("origin"), max_length=7, choices=Origin.choices, default=Origin.WRITTEN
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = MemoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("memory")
        verbose_name_plural = _("memories")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint("owner", MD5(Lower("text")), name="one_memory_each"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
