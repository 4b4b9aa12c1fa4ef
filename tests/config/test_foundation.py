import pytest

from accounts.models import User


@pytest.mark.django_db
def test_a_user_is_stored_in_the_real_database():
    User.objects.create_user("Alice@Example.org", "a long password")
    assert User.objects.get_by_natural_key("alice@example.org").check_password("a long password")
