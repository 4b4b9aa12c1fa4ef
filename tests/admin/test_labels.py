"""Every label of the administration is there in Chinese, also of fields that nobody named."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.utils import translation

from accounts.models import User
from tests.admin.test_pages import MODELS

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_EVERYWHERE = {"ID", "SHA-256", "Webhook"}


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_every_label_speaks_the_language(language, rf):
    request = rf.get("/admin/")
    request.user = User(is_superuser=True, is_staff=True)
    foreign = set()
    with translation.override(language):
        for model in MODELS:
            page = admin.site._registry[model]
            is_record = not page.has_change_permission(request)
            form = None if is_record else page.get_form(request)()
            shown = flatten_fieldsets(page.get_fieldsets(request, model()))
            for name in {*page.get_list_display(request), *shown}:
                own = form and form.fields.get(name)
                label = str(own.label if own else label_for_field(name, model, page, form=form))
                if not CHINESE.search(label) and label not in SAME_EVERYWHERE:
                    foreign.add((model._meta.label, name, label))
    assert not foreign
