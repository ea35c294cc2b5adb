"""The log that the checks of `recblr serve` train their small models on."""


def write_log(path, items, generator, users=120, steps=15):
    """Events of users who go from an item to one of the next three, in a file with a header."""
    with open(path, "w") as file:
        file.write("user_id,item_id,timestamp\n")
        for user in range(users):
            item = generator.randrange(items)
            for step in range(steps):
                file.write(f"u{user},i{item},{1_600_000_000 + 1000 * step + user}\n")
                item = (item + 1 + generator.randrange(3)) % items
