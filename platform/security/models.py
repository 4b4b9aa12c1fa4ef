from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from security.acts import Act


class AuditEntry(models.Model):
    """Who did what to which thing, when and from where; the database refuses to change a row.

    Names are as they were then and no row is referred to: an entry outlives all it tells of. The
    table is the migration's, not Django's, so that no flush of tests or tools tries to empty it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    act = models.CharField(_("what"), max_length=40, choices=Act.choices)
    actor_id = models.UUIDField(_("who"), null=True)
    actor_email = models.CharField(_("e-mail"), max_length=254, blank=True)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    object_id = models.CharField(_("object"), max_length=64, blank=True)
    title = models.CharField(_("name"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    token_id = models.UUIDField(_("API token"), null=True)
    detail = models.JSONField(_("details"), default=dict)

    class Meta:
        managed = False
        db_table = "audit_entry"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.act} {self.title}".strip()
