#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/mutants/run.py [WORD...] - take guards out one by one; a test must go red each time (make mutants)

Each tests/mutants/*.txt lists mutants: a line "== NAME | CASES | FILE | TEST ...", then lines of FILE with "-" in front (what is
taken out; it must stand there exactly once) and with "+" (what comes in its place). A mutated file, or for a header whatever
includes it, is compiled by itself and linked before the archive of all the rest, so that B must hold a build with its
tests. Red is a failed assertion, a sanitizer's report, a crash, or no end in time. With WORDs: only mutants whose name has one.

Some guards are against what two threads do to each other, and their tests provoke it, which may fail: with AGAIN=1 in the
environment a mutant that survived (shown as ONCE) is tried once more, with the machine for itself.
"""
import concurrent.futures, glob, os, re, shlex, shutil, subprocess, sys, time

BUILD = os.environ["B"]
SCRATCH = os.path.join(BUILD, "mutants")
AGAIN = os.environ.get("AGAIN") == "1"
PATIENCE_S = 30         # several times what the longest test takes
ENV = dict(os.environ, HOSTILE_PATIENCE_MS="1500", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1", ASAN_OPTIONS="detect_leaks=1")


def read_list(path):
    mutants = []
    for number, line in enumerate(open(path), 1):
        if line.startswith("== "):
            name, cases, file, tests = (part.strip() for part in line[3:].split("|"))
            mutants.append({"name": name, "cases": cases, "file": file, "tests": tests.split(), "out": [], "in": []})
        elif line[0] in "-+" and mutants:
            mutants[-1]["out" if line[0] == "-" else "in"].append(line[1:].rstrip("\n"))
        elif line.strip() and not line.startswith("#"):
            sys.exit("%s:%d: neither a mutant nor a comment" % (path, number))
    return mutants


def includes(file, source):
    """Did @source, when it was built, include @file?"""
    try:
        words = open(os.path.join(BUILD, source[:-2] + ".d")).read().split()
    except OSError:
        return False
    return file in words


def compiled(m):
    """Sources that change with the mutant, its tests' own among them"""
    if m["file"].endswith(".c"):
        return [m["file"]]
    own = ["tests/%s.c" % test for test in m["tests"]]
    return [s for s in glob.glob("tap/*.c") + glob.glob("switch/*.c") + own if includes(m["file"], s)]


def command(words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)


def compile_one(m, folder, source, flags):
    changed = os.path.join(folder, source)
    target = os.path.join(folder, source.replace("/", "_")[:-2] + ".o")
    done = command(flags[:1] + ["-I", folder] + flags[1:] + ["-O1", "-w", "-c", changed if os.path.exists(changed) else source, "-o", target])
    if done.returncode:
        raise RuntimeError("it does not compile: " + done.stdout[-600:])
    return target


def mutate(m, folder):
    text = open(m["file"]).read()
    old, new = "\n".join(m["out"]), "\n".join(m["in"])
    if not old or text.count(old) != 1:
        raise RuntimeError("its text stands %d times in %s" % (text.count(old), m["file"]))
    os.makedirs(os.path.join(folder, os.path.dirname(m["file"])))
    open(os.path.join(folder, m["file"]), "w").write(text.replace(old, new))


def run(program):
    """Return: why it is red, or None. The first failed test of a program is enough."""
    if not os.path.exists(program):
        return "it is not there"
    child = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENV, start_new_session=True)
    end, tail = time.time() + PATIENCE_S, b""
    os.set_blocking(child.stdout.fileno(), False)
    try:
        while child.poll() is None:
            if time.time() > end:
                return "no end"
            tail = (tail + (child.stdout.read() or b""))[-65536:]
            if b"[  FAILED  ]" in tail or b"ERROR: AddressSanitizer" in tail or b"runtime error:" in tail:
                return why(tail, 1)
            time.sleep(0.01)
        tail += child.stdout.read() or b""
        return why(tail, child.returncode) if child.returncode else None
    finally:
        try:
            os.killpg(child.pid, 9)
        except ProcessLookupError:
            pass
        child.wait()


def why(tail, code):
    text = tail.decode(errors="replace")
    found = re.search(r"AddressSanitizer:? [\w-]+", text) or re.search(r"runtime error: [^\n]{1,50}", text)
    failed = re.search(r"\[  FAILED  \] (\w+)", text)
    return found.group(0) if found else failed.group(1) if failed else "signal %d" % -code if code < 0 else "status %d" % code


def play(m):
    folder = os.path.join(SCRATCH, m["name"])
    flags = [w for w in shlex.split(open(os.path.join(BUILD, "flags")).read()) if w not in ("-MMD", "-MP")]
    begun = time.time()
    mutate(m, folder)
    objects = [compile_one(m, folder, s, flags) for s in compiled(m)]
    red = None
    for test in m["tests"]:
        if red:
            break
        program, own = os.path.join(folder, os.path.basename(test)), "tests_%s.o" % test.replace("/", "_")
        with_own = [o for o in objects if os.path.basename(o) == own] or [os.path.join(BUILD, "tests", test + ".o")]
        others = [o for o in objects if not os.path.basename(o).startswith("tests_")]
        linked = command(flags[:1] + shlex.split(os.environ["LINK"]) + with_own + others + [os.path.join(BUILD, "tested.a")] +
                         shlex.split(os.environ["LIBS"]) + ["-o", program])
        if linked.returncode:
            raise RuntimeError("it does not link: " + linked.stdout[-600:])
        red = run(program)
        os.unlink(program)
    shutil.rmtree(folder)
    return red, time.time() - begun


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    mutants = [m for path in sorted(glob.glob("tests/mutants/*.txt")) for m in read_list(path)]
    mutants = [m for m in mutants if len(sys.argv) < 2 or any(word in m["name"] for word in sys.argv[1:])]
    names = [m["name"] for m in mutants]
    for name in names:
        if names.count(name) > 1:
            sys.exit("two mutants are called %s" % name)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    red_before = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tests = sorted({test for m in mutants for test in m["tests"]})
        for test, red in zip(tests, pool.map(lambda test: run(os.path.join(BUILD, "tests", test)), tests)):
            if red and (not AGAIN or run(os.path.join(BUILD, "tests", test))):
                print("%s is red by itself: %s" % (test, red))
                red_before += 1
        bad = [m for m, result in zip(mutants, pool.map(attempt, mutants)) if not told(m, result, "ONCE" if AGAIN else "SURVIVED")]
    if AGAIN:
        bad = [m for m in bad if not told(m, attempt(m), "SURVIVED")]
    print("mutants: %d killed, %d survived%s" % (len(mutants) - len(bad), len(bad), "".join(" " + m["name"] for m in bad)))
    sys.exit(bool(bad) or red_before > 0 or not mutants)


def told(m, result, if_not):
    """Return: was it killed?"""
    verdict = if_not if result[0] == "SURVIVED" else result[0]
    print("%-9s %-34s %-24s %-36s %s" % (verdict, m["name"], m["cases"], " ".join(t.split("/")[1] for t in m["tests"]), result[1]), flush=True)
    return verdict == "killed"


def attempt(m):
    try:
        red, seconds = play(m)
        return ("killed", "%s (%.0f s)" % (red, seconds)) if red else ("SURVIVED", "(%.0f s)" % seconds)
    except RuntimeError as e:
        return "STALE", str(e)


main()
