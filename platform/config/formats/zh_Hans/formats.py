"""Numbers in Chinese as screens show them: 1,251,200."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
