CENTS_A_DAY = 20


def fine_of(days):
    return days * CENTS_A_DAY
