#!/usr/bin/env python3
"""Writes the table of LibTorch's operators: which have a kernel on which device, and which cost a device nothing.

usage: operator_table.py NATIVE_FUNCTIONS_YAML OUT_CPP

The yaml file is the one that LibTorch itself is generated from. The wheel has it beside torch, in torchgen. Its format:
https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/README.md
"""
import pathlib
import re
import sys

# The devices that the table knows, by the names of their dispatch keys. The first is the one that the launches of the
# portable path are counted for: starting an operator costs the most there.
BACKENDS = ["MPS", "CUDA"]

# Operators that choose another one by the device, in C++: the yaml does not tell. On the CPU they choose one that no
# other device has. What stands here is the choice of each device for the attention of the models: no dropout, and on
# MPS no gradients (at/native/transformers/attention.cpp, scaled_dot_product_attention).
CHOOSES = {
    "scaled_dot_product_attention": {
        "MPS": "_scaled_dot_product_attention_math_for_mps",
        "CUDA": "_scaled_dot_product_flash_attention",
    },
    # The backward pass of what it chooses on the CPU. MPS has no fused one.
    "_scaled_dot_product_flash_attention_for_cpu_backward": {
        "CUDA": "_scaled_dot_product_flash_attention_backward",
    },
}

# Views by what they do, though not by what their schemas say: autograd isn't to know.
SECRET_VIEWS = ["_unsafe_view", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes"]

# The bits of a row after those of BACKENDS.
EXPLICIT, IMPLICIT, FREE, READS = (1 << (len(BACKENDS) + i) for i in range(4))


class FormatError(Exception):
    """The file isn't what this script expects of torchgen's."""


class Operator:
    """An entry of the yaml file."""

    def __init__(self, schema):
        match = re.fullmatch(r"([\w.]+)\((.*)\) -> (.*)", schema)
        if not match:
            raise FormatError(f"not a schema: {schema}")
        self.name, self.arguments, self.returns = match.groups()
        self.kernels = {}  # dispatch key -> name of the kernel
        self.delegate = None  # the out variant whose kernels this one uses
        self.autogen, self.tags = [], []

    def base(self):
        return self.name.split(".")[0]

    def writes(self):
        return "!" in self.arguments

    def is_view(self):
        """Returns an alias of an argument and writes nothing. Some of them may copy; these are composites."""
        aliases = re.search(r"Tensor\(\w", self.returns) is not None
        return aliases and not self.writes() or self.base() in SECRET_VIEWS

    def costs_nothing(self):
        """Changes what is known of a tensor, takes memory, or computes on the host."""
        allocates = self.base().startswith(("empty", "new_empty"))
        asks = "Tensor" not in self.returns and not self.writes() and not self.reads()
        return self.is_view() or "inplace_view" in self.tags or allocates or asks

    def reads(self):
        """The host waits for numbers of the device. Indexing does so for masks only, and nobody indexes with masks."""
        shape = "dynamic_output_shape" in self.tags and self.base() != "index"
        return shape or "data_dependent_output" in self.tags


def names(text):
    """What stands in "a, b" or "[a, b]"."""
    return [name.strip() for name in text.strip("[] ").split(",") if name.strip()]


def without_comment(line):
    return re.sub(r"(^|\s)#.*", "", line).rstrip()


def read_operators(text):
    """The operators of the file by full name. Of yaml's rules only those are known that the file makes use of."""
    operators, key = [], None
    for number, line in enumerate(map(without_comment, text.splitlines()), 1):
        if line.startswith("- func: "):
            operators.append(Operator(line.removeprefix("- func: ")))
            key = None
        elif match := re.fullmatch(r"  (\w+):\s*(.*)", line):
            key, value = match.groups()
            if not operators:
                raise FormatError(f"line {number}: {key} stands before the first operator")
            add(operators[-1], key, value)
        elif match := re.fullmatch(r"    ([\w, ]+):\s*(\w+)", line):
            if key == "dispatch":
                operators[-1].kernels.update(dict.fromkeys(names(match[1]), match[2]))
        elif line and key not in ("precomputed", "ufunc_inner_loop"):
            raise FormatError(f"line {number}: {line!r} is not understood")
    return {operator.name: operator for operator in operators}


def add(operator, key, value):
    if key == "structured_delegate":
        operator.delegate = value
    elif key == "ufunc_inner_loop":  # a formula that torchgen makes kernels of
        operator.kernels.update(dict.fromkeys(["CPU", "CUDA"], operator.base()))
    elif key == "autogen":
        operator.autogen = names(value)
    elif key == "tags":
        operator.tags = names(value)
    elif key == "dispatch" and value not in ("", "{}"):
        raise FormatError(f"{operator.name}: dispatch: {value}")


def kernels_of(operator, operators):
    """Its kernels by dispatch key; an operator without any is made of others, as its derivative is."""
    if operator.delegate:
        return operators[operator.delegate].kernels | operator.kernels
    return operator.kernels or {"CompositeImplicitAutograd": operator.base()}


def chosen(operator, backend, operators):
    """Whether the operator chooses another one on this device, which has a kernel there."""
    other = CHOOSES.get(operator.name, {}).get(backend)
    if other is None:
        return False
    if other not in operators or backend not in kernels_of(operators[other], operators):
        raise FormatError(f"{other}, which {operator.name} stands for on {backend}, is not there: update CHOOSES")
    return True


def flags_of(operator, operators):
    kernels, flags = kernels_of(operator, operators), 0
    for bit, backend in enumerate(BACKENDS):
        if backend in kernels or chosen(operator, backend, operators):
            flags |= 1 << bit
    if any(key.startswith("CompositeExplicitAutograd") for key in kernels):
        flags |= EXPLICIT
    if "CompositeImplicitAutograd" in kernels:
        flags |= IMPLICIT
    return flags | (FREE if operator.costs_nothing() else 0) | (READS if operator.reads() else 0)


def rows(operators):
    """(full name, flags) of all operators. Those that LibTorch generates call the one that they are generated from."""
    flags = {name: EXPLICIT for operator in operators.values() for name in operator.autogen}
    flags |= {name: flags_of(operator, operators) for name, operator in operators.items()}
    return sorted(flags.items())


def source(table):
    backends = ", ".join(f'"{backend.lower()}"' for backend in BACKENDS)
    lines = "\n".join(f'    {{"{name}", {flags}}},' for name, flags in table)
    return f"""// Written by scripts/operator_table.py.
#include "harness/measuring/operator_table.h"

namespace bench::harness {{
namespace {{

constexpr std::string_view kBackends[] = {{{backends}}};
constexpr OperatorRow kRows[] = {{
{lines}
}};

}}  // namespace

std::span<const std::string_view> operator_backends() {{ return kBackends; }}
std::span<const OperatorRow> operator_rows() {{ return kRows; }}

}}  // namespace bench::harness
"""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, out = map(pathlib.Path, sys.argv[1:])
    try:
        operators = read_operators(path.read_text())
        for name in CHOOSES.keys() - operators.keys():
            raise FormatError(f"{name} is not there: update CHOOSES")
        out.write_text(source(rows(operators)))
    except (OSError, FormatError) as error:
        sys.exit(f"operator_table: {path}: {error}")


if __name__ == "__main__":
    main()
