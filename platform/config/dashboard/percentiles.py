from django.db.models import Aggregate, FloatField


class Percentile(Aggregate):
    """The value that `share` (0 to 1) of all values are not above, between two if need be."""

    template = "percentile_cont(%(share)s) within group (order by %(expressions)s)"
    name = "percentile"
    output_field = FloatField()
