"""A socket speaks as the page that opened it: the language chosen, the cookie's, the browser's."""

import pytest
from django.conf import settings

from accounts.models import User
from chat.live.languages import language_of


@pytest.mark.parametrize(
    ("chosen", "cookie", "accepted", "spoken"),
    [
        ("zh-hans", "zh-hant", "en", "zh-hans"),
        ("", "zh-hant", "en", "zh-hant"),
        ("", "", "zh-TW,zh;q=0.9", "zh-hant"),
        ("", "", "fr, zh-CN;q=0.5", "zh-hans"),
        ("xx", "yy", "\xff;q=x", "en"),
        ("", "", "", "en"),
    ],
)
def test_language_of(chosen, cookie, accepted, spoken):
    scope = {
        "headers": [(b"accept-language", accepted.encode("latin-1"))],
        "cookies": {settings.LANGUAGE_COOKIE_NAME: cookie},
    }
    assert language_of(scope, User(language=chosen)) == spoken


def test_a_handshake_without_either_is_answered_in_english():
    assert language_of({"headers": []}, User()) == "en"
