open('taken', 'w').close()


def check(*_: object) -> int:
    return 10
