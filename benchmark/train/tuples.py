"""What a pickle's tuples hold, told without building them: to look one up as a key is to walk through all of it."""

from __future__ import annotations

import pickletools


def largest(program: bytes) -> float:
    """Values in the largest tuple of a pickle, what stands in several places counted in each.

    Raises:
        ValueError, IndexError: it is no program.
    """
    stack, memo, most = list[float | None](), dict[object, float | None](), 0.0
    for code, argument, _ in pickletools.genops(program):
        if code.name.endswith("GET"):
            stack.append(memo.get(argument, 1))
        elif code.name.endswith("PUT"):
            memo[argument] = stack[-1]
        elif code.name == "MARK":
            stack.append(None)
        else:
            size = 1 + sum(_taken(code, stack))
            most = max(most, size) if "TUPLE" in code.name else most
            stack += [size if "TUPLE" in code.name else 1] * len(code.stack_after)
    return most


def _taken(code: pickletools.OpcodeInfo, stack: list[float | None]) -> list[float]:
    """What an instruction takes from the stack."""
    taken, single = list[float](), [kind for kind in code.stack_before if kind.name not in ("mark", "stackslice")]
    if len(single) < len(code.stack_before):
        while (top := stack.pop()) is not None:
            taken.append(top)
    return taken + [stack.pop() or 1 for _ in single]
