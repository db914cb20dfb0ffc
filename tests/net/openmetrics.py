#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A page of OpenMetrics 1.0 on standard input: is it one by the letter? Prints "families samples", or what is wrong.

    openmetrics.py [NAME{LABELS}]...	also the value of each of these samples, a line each
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})((?:\{{{LABEL}(?:,{LABEL})*\}})?) (-?[0-9]+(?:\.[0-9]+)?)$")
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info"}


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line!r}")


def read(text):
    if not text.endswith("# EOF\n"):
        sys.exit("the page does not end with # EOF")
    families, samples, now, seen_sample = {}, {}, None, False
    for number, line in enumerate(text.split("\n")[:-2], 1):
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            if keyword == "TYPE":
                if name in families:
                    fail(number, line, "the family is there already")
                if rest not in SUFFIX:
                    fail(number, line, "unknown type")
                now, seen_sample = name, False
                families[name] = {"type": rest}
            elif keyword not in ("UNIT", "HELP") or name != now or seen_sample or keyword in families[name]:
                fail(number, line, "metadata in a wrong place")
            elif keyword == "UNIT" and not name.endswith("_" + rest):
                fail(number, line, "the name does not end with the unit")
            families[name][keyword] = rest
            continue
        match = SAMPLE.match(line)
        if not match:
            fail(number, line, "no sample")
        name, labels, value = match.groups()
        if now is None or name != now + SUFFIX[families[now]["type"]]:
            fail(number, line, f"not of the family {now}")
        words = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="', labels)
        if len(set(words)) != len(words) or name + labels in samples:
            fail(number, line, "there is one of these already")
        if value.startswith("-") and families[now]["type"] == "counter":
            fail(number, line, "a counter below zero")
        samples[name + labels] = value
        seen_sample = True
    return families, samples


def main():
    families, samples = read(sys.stdin.read())
    print(len(families), len(samples))
    for want in sys.argv[1:]:
        print(samples.get(want, "absent"))


main()
