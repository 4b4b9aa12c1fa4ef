from django.db import migrations, models

# Read as they look, but before pictures were: that of Word and HTML files says nothing of theirs.
# Until this migration every such text was stored when its document's last stage ended.
FIND = """
update knowledge_documenttext t set has_figures_read = false
from knowledge_document d
where d.id = t.document_id and t.layout is not null
    and d.media_type in (
        'text/html', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document')
    and not exists (select from knowledge_figure f where f.document_id = d.id)
    and not exists (
        select from knowledge_stage s
        where s.document_id = d.id and s.name = 'load' and s.finished_at > (
            select max(applied) from django_migrations
            where app = 'knowledge' and name = '0009_figures'));
"""


class Migration(migrations.Migration):
    """Whether pictures inside a document were looked for, so that its page can say when not."""

    dependencies = [("knowledge", "0011_labels")]

    operations = [
        migrations.AddField(
            model_name="documenttext",
            name="has_figures_read",
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
        migrations.RunSQL(FIND, migrations.RunSQL.noop),
    ]
