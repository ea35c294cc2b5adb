"""A disk and a clock that go wrong: builds `faults.c`, gives it orders, and says what a disk may hold after power was lost."""

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ENTRY = struct.Struct("<8Q")
SECTOR = 512


def build(folder):
    """The library, None where there is no compiler or this is no Linux."""
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    if not compiler or not os.path.isdir("/proc/self/fd"):
        return None
    library = os.path.join(folder, "faults.so")
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", library, os.path.join(HERE, "faults.c"), "-ldl", "-lpthread"], check=True)
    return library


class Disk:
    """The disk under a store and the clock of its server."""

    def __init__(self, library, folder, store):
        self.store, self.control, self.journal = store, os.path.join(folder, "control"), os.path.join(folder, "journal")
        self.environment = {
            "LD_PRELOAD": library, "FAULTS_CONTROL": self.control, "FAULTS_FILES": os.path.realpath(store) + "/"}
        self.set()

    def set(self, write=0, sync=0, read=0, clock=0):
        """Errors of writes, fsync and reads from now on, and how many seconds the clock is wrong."""
        data = struct.pack("<4iq", write, sync, read, 0, clock)
        with open(self.control, "r+b" if os.path.exists(self.control) else "wb") as file:
            file.write(data)

    def keep_journal(self):
        """From the next start on, every write is noted."""
        self.environment["FAULTS_JOURNAL"] = self.journal

    def lose_power(self, generator):
        """What was written and not synced is there, in part, or not at all. Returns what was lost, in words."""
        lost, kept = 0, 0
        for path, file in read_journal(self.journal).items():
            if not os.path.exists(path):
                continue
            choice = generator.choice(["none", "some", "all"])
            keeps = [choice == "all" or choice == "some" and generator.random() < 0.5 for _ in file.unsynced]
            restore(path, file.unsynced, keeps, generator)
            lost, kept = lost + keeps.count(False), kept + keeps.count(True)
        for name in os.listdir(self.store):
            if name.endswith("-shm"):  # memory that processes share, not a file that a disk keeps
                os.remove(os.path.join(self.store, name))
        if os.path.exists(self.journal):
            os.remove(self.journal)
        return f"{lost} of {lost + kept} unsynced writes lost"


@dataclass
class Write:
    number: int
    offset: int
    size_before: int
    old: bytes
    new: bytes


@dataclass
class JournalFile:
    unsynced: list = field(default_factory=list)


def read_journal(path):
    """Writes of each file since its last fsync began."""
    files, place = {}, 0
    data = open(path, "rb").read() if os.path.exists(path) else b""
    while place + ENTRY.size <= len(data):
        kind, number, upto, offset, size, name_length, old_length, new_length = ENTRY.unpack_from(data, place)
        end = place + ENTRY.size + name_length + old_length + new_length
        if end > len(data):
            break  # the process was killed in the middle of this one; the file was not touched yet
        start = place + ENTRY.size
        name = data[start:start + name_length].decode()
        old = data[start + name_length:start + name_length + old_length]
        file = files.setdefault(name, JournalFile())
        if kind == 1:
            file.unsynced = [write for write in file.unsynced if write.number > upto]
        else:
            file.unsynced.append(Write(number, offset, size, old, data[start + name_length + old_length:end]))
        place = end
    return files


def restore(path, writes, keeps, generator):
    """Takes all unsynced writes back, the last one first, then makes those again that reached the disk, some of them in part."""
    with open(path, "r+b") as file:
        for write in reversed(writes):
            file.seek(write.offset)
            file.write(write.old)
            file.truncate(write.size_before)
        for write, is_kept in zip(writes, keeps):
            if not is_kept:
                continue
            if not write.new:
                file.truncate(write.offset)
                continue
            sectors = len(write.new) // SECTOR
            torn = sectors > 1 and generator.random() < 0.2
            file.seek(write.offset)
            file.write(write.new[:SECTOR * generator.randrange(1, sectors)] if torn else write.new)
