"""The facts of the carriers' descriptors as SQL, written into statements when they are built."""

from gateway.carriers.descriptors.registry import CARRIERS


def leaves_opt_outs_to_us(column: str) -> str:
    """As a condition: the carrier with this name does not answer STOP and HELP itself."""
    answering = ", ".join(f"'{each.name}'" for each in CARRIERS.values() if each.answers_opt_out)
    return f"{column} NOT IN ({answering})" if answering else "true"
