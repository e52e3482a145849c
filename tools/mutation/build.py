# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What faults are planted in: the library and the simulated machine as shared
objects, and the suites, each linked once.
"""

import glob
import os
import platform
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

import mutants

CC = "gcc"
FLAGS = ["-std=c11", "-g0", "-O1", "-fPIC", "-pthread", "-D_GNU_SOURCE",
         "-DTPOS_CHECK_LEVEL=2"]

SLOW = ("threads", "threads_swap", "faults_threads")
# It takes ten seconds each time, and other tests catch the same mutants.
LEFT_OUT = ("sweep_move",)
# The other of the two ways to clear belongs to another processor.
ELSEWHERE = ("clear_any.c" if platform.machine() == "x86_64"
             else "clear_x86_64.c",)


def run(*command):
    subprocess.run(command, check=True)


def wrapped_functions(sources):
    """What a suite puts in front of functions below the library, by the linker's --wrap."""
    functions = set()
    for source in sources:
        with open(source, encoding="utf-8") as file:
            functions.update(re.findall(r"\b__wrap_(tp(?:os|sim)_\w+)\(", file.read()))
    return sorted(functions)


def suites_of(listed):
    """The suites of the library, and their files below tests/, as CMake wrote them."""
    with open(listed, encoding="utf-8") as file:
        for line in file:
            program, *sources = line.split()
            if sources[0].startswith(("test_", "sim/test_")):
                yield program[5:], sources


class Build:
    def __init__(self, root, suites, where, *more):
        self.root = root
        self.suites = suites
        self.flags = [*FLAGS, *more]
        self.where = where
        self.plain = os.path.join(where, "plain")
        self.includes = ["-I" + os.path.join(root, part) for part in
                         ("include", "shim/userspace", "tests",
                          "tests/backend/cmocka", "tests/machine", "tests/sim")]
        self.programs, self.portable, self.slow = [], [], []
        self.wraps = {}
        self.lib = sorted(glob.glob(os.path.join(root, "lib/*/*.c")))

    def path(self, *parts):
        return os.path.join(self.where, *parts)

    def compile(self, source, to, *more):
        run(CC, *self.flags, *self.includes, *more, "-c", source, "-o", to)
        return to

    def objects_of(self, pattern, prefix):
        return [self.compile(s, self.path(prefix + os.path.basename(s) + ".o"))
                for s in sorted(glob.glob(os.path.join(self.root, pattern)))
                if os.path.basename(s) not in ELSEWHERE]

    def core(self, objects, to):
        run(CC, *self.flags, "-shared", "-o",
            os.path.join(to, "libcore.so"), *objects)

    def link(self, name, objects):
        program = self.path(name)
        run(CC, *self.flags, "-rdynamic", "-o", program, *objects,
            *self.facade, "-L" + self.plain, "-lcore", "-lsim", "-lcmocka")
        return program

    def prepare(self):
        """Everything but the faults."""
        shutil.rmtree(self.where, ignore_errors=True)
        os.makedirs(self.plain)
        self.lib_objects = self.objects_of("lib/*/*.c", "lib-")
        self.sim_objects = self.objects_of("shim/userspace/*.c", "sim-")
        run(CC, *self.flags, "-shared", "-o",
            os.path.join(self.plain, "libsim.so"),
            *self.sim_objects)
        self.core(self.lib_objects, self.plain)
        self.facade = [self.compile(os.path.join(self.root, s), self.path(o))
                       for s, o in
                       (("tests/rig.c", "rig.o"),
                        ("tests/rig_buffer.c", "rig_buffer.o"),
                        ("tests/backend/cmocka/check_machine.c", "machine.o"),
                        ("tests/backend/cmocka/check_cmocka.c", "check.o"))]
        for name, sources in suites_of(self.suites):
            if name not in LEFT_OUT:
                self.add(name, [os.path.join(self.root, "tests", source)
                                for source in sources])

    def add(self, name, sources):
        parts = [self.compile(s, self.path(f"{name}-{os.path.basename(s)}.o"),
                              "-DCHECK_SUBJECT=" + name) for s in sources]
        functions = wrapped_functions(sources)
        if functions:  # and so it is linked anew for each fault
            self.wraps[name] = (parts, functions)
            return
        program = self.link("test_" + name, parts)
        (self.slow if name in SLOW else self.programs).append(program)
        if len(sources) > 1 and sources[1].endswith("main_portable.c"):
            self.portable.append(program)

    def wrapped(self, objects, to):
        """The programs that wrap the port, with this library in them."""
        for name, (parts, functions) in self.wraps.items():
            program = os.path.join(to, "test_" + name)
            run(CC, *self.flags, "-o", program, *parts, *self.facade, *objects,
                *self.sim_objects,
                *["-Wl,--wrap=" + function for function in functions],
                "-lcmocka")
            yield program

    def everything(self):
        """All programs, with the library that has no fault."""
        yield from self.programs
        yield from self.slow
        yield from self.wrapped(self.lib_objects, self.plain)

    def path_of(self, name):
        """The file of lib/ with that name, on whichever floor."""
        return next(p for p in self.lib if os.path.basename(p) == name)

    def files(self, only):
        args = ["-std=c11", "-DTPOS_CHECK_LEVEL=2", *self.includes[:2]]
        for path in self.lib:
            name = os.path.basename(path)
            if only and name != only:
                continue
            file = mutants.File(path, name, args)
            if mutants.errors_of(file.unit):
                raise SystemExit(f"mutation: clang cannot read {name}")
            yield file

    @contextmanager
    def planted(self, objects, directory):
        try:
            yield directory, objects
        finally:
            shutil.rmtree(directory)

    def plant(self, mutant):
        """A directory with the library that has this fault, or None."""
        directory = tempfile.mkdtemp(dir=self.where)
        source = os.path.join(directory, mutant.file)
        original = self.path_of(mutant.file)
        with open(original, "rb") as file:
            text = file.read()
        with open(source, "wb") as file:
            file.write(text[:mutant.begin] + mutant.text.encode() +
                       text[mutant.end:])
        changed = os.path.join(directory, "changed.o")
        tried = subprocess.run(
            [CC, *self.flags, "-I" + os.path.dirname(original), *self.includes,
             "-O0", "-w", "-c", source, "-o", changed],
            stderr=subprocess.DEVNULL, check=False)
        if tried.returncode:
            shutil.rmtree(directory)
            return None
        unchanged = self.path("lib-" + mutant.file + ".o")
        objects = [changed if o == unchanged else o for o in self.lib_objects]
        self.core(objects, directory)
        os.symlink(os.path.join(self.plain, "libsim.so"),
                   os.path.join(directory, "libsim.so"))
        return self.planted(objects, directory)
