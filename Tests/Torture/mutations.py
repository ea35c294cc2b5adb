"""Ways to damage a file. Each takes bytes and a random generator and gives other bytes."""

import gzip
import json
import re
import struct

TOKENS = [
    b"\0", b"\0" * 40, b'"', b'""', b"'", b"\\", b"\n", b"\r", b"\r\n", b",", b"\t", b"::", b" ", b"{", b"}", b"[", b"NaN", b"nan", b"inf",
    b"-inf", b"null", b"None", b"true", b"-1", b"0", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
    b"18446744073709551616", b"1e300", b"-1e300", b"1e999", b"1e-400", b"0x10", b"9" * 400, b"2147483648", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xc3", b"\xf4\x90\x80\x80", b"\x1b[2J", "e\u0301".encode(), b"A" * 70_000, b"2021-13-45T99:99:99Z", b"9999-12-31",
]
NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def flip_bit(data, random):
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1:]


def overwrite(data, random):
    place = random.randrange(len(data))
    noise = random.choice([b"\0", b"\xff", random.randbytes(1)]) * random.choice([1, 2, 4, 8, 64])
    return data[:place] + noise[:len(data) - place] + data[place + len(noise):]


def truncate(data, random):
    return data[:random.choice([0, 1, len(data) // 2, len(data) - 1, random.randrange(len(data))])]


def delete_range(data, random):
    start = random.randrange(len(data))
    return data[:start] + data[start + random.choice([1, 2, 4, 8, 100, len(data) // 3]):]


def duplicate_range(data, random):
    start = random.randrange(len(data))
    piece = data[start:start + random.choice([1, 8, 64, len(data)])]
    return data[:start] + piece * random.choice([2, 2, 3, 50]) + data[start + len(piece):]


def insert_token(data, random):
    place = random.choice([0, len(data), random.randrange(len(data) + 1), random.randrange(len(data) + 1)])
    return data[:place] + random.choice(TOKENS) + data[place:]


def replace_number(data, random):
    numbers = list(NUMBER.finditer(data))
    if not numbers:
        return insert_token(data, random)
    found = random.choice(numbers)
    return data[:found.start()] + random.choice(TOKENS) + data[found.end():]


def swap_lines(data, random):
    lines = data.split(b"\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def append_garbage(data, random):
    return data + random.choice([b"\0", b"garbage", b"\0" * 512, data, random.randbytes(30)])


BYTES = [flip_bit, overwrite, truncate, delete_range, duplicate_range, append_garbage]
TEXT = BYTES + [insert_token, insert_token, replace_number, replace_number, swap_lines]


def inside_gzip(data, random):
    """Damage that the compression does not see."""
    return gzip.compress(random.choice(TEXT)(gzip.decompress(data), random), mtime=0)


# JSON: a value in a well-formed document becomes another.

VALUES = [
    0, 1, -1, 2, 3, 4096, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -2**63, 2**63, 2**64, 1e300, -1e300, 1e-300, 0.5, -0.5, "@1e999@", "@NaN@", "", "x",
    "x" * 100_000, "\0", "\u202e\x1b[2J", None, True, False, [], {}, [[]], {"a": 1}, "global_time",
]


def leaves(value, path=()):
    """Paths to every value of a document."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from leaves(child, path + (key,))


def change(document, random):
    """Changes one value: another one, gone, or twice."""
    paths = list(leaves(document))[1:]
    if not paths:
        return random.choice(VALUES)
    *parents, last = random.choice(paths)
    holder = document
    for key in parents:
        holder = holder[key]
    action = random.randrange(10)
    if action == 0:
        del holder[last]
    elif action == 1 and isinstance(holder, list):
        holder.append(holder[last])
    elif action == 2 and isinstance(holder, dict):
        holder["surplus"] = holder[last]
    elif action == 3 and isinstance(holder[last], str) and holder[last][:1] in "[{":
        holder[last] = dump(change(json.loads(holder[last]), random))  # JSON in a JSON text, as a checkpoint has it
    else:
        holder[last] = random.choice(VALUES)
    return document


def dump(document):
    return json.dumps(document, indent=1).replace('"@1e999@"', "1e999").replace('"@NaN@"', "NaN")


def json_value(data, random):
    return dump(change(json.loads(data), random)).encode()


JSON = TEXT + [json_value] * 12

# Arrays of numbers without a header.

WORDS = [0, 1, -1, 2**31 - 1, -2**31, 2**63 - 1, -2**63, 0x7FF8 << 48, 0x7FF0 << 48, 0x7F800000, 0x7FC00000, 0x7E37E43C8800759C]


def set_word(data, random):
    size = random.choice([4, 8])
    place = random.randrange(max(1, len(data) // size)) * size
    word = (random.choice(WORDS) % 2 ** (8 * size)).to_bytes(size, "little")
    return data[:place] + word[:len(data) - place] + data[place + size:]


def swap_words(data, random):
    size = random.choice([4, 8])
    first, second = sorted(random.randrange(max(1, len(data) // size)) * size for _ in range(2))
    if first == second or second + size > len(data):
        return data
    return data[:first] + data[second:second + size] + data[first + size:second] + data[first:first + size] + data[second + size:]


ARRAY = BYTES + [set_word] * 4 + [swap_words] * 2

# safetensors: the header's length stays right.


def tensors_header(data, random):
    length, = struct.unpack("<Q", data[:8])
    text = dump(change(json.loads(data[8:8 + length]), random)).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


def tensors_length(data, random):
    return struct.pack("<Q", random.choice(WORDS) % 2**64) + data[8:]


def tensors_metadata(data, random):
    """Changes a document that the metadata holds as text."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    documents = [key for key, text in header.get("__metadata__", {}).items() if text[:1] in ("{", "[")]
    if not documents:
        return tensors_header(data, random)
    key = random.choice(documents)
    header["__metadata__"][key] = dump(change(json.loads(header["__metadata__"][key]), random))
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


def tensors_rename(data, random):
    """A tensor is missing, or there is one more than the model has."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    name = random.choice([key for key in header if key != "__metadata__"])
    entry = dict(header[name])
    if random.randrange(2):
        del header[name]
    else:
        entry["data_offsets"], entry["shape"] = [0, 0], [0]
    header[random.choice(["surplus", name.replace("0", "1"), name + ".weight"])] = entry
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


def tensors_element(data, random):
    length, = struct.unpack("<Q", data[:8])
    return data[:8 + length] + set_word(data[8 + length:], random)


def counters(data, random):
    """The integers of a checkpoint."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    if "counters" not in header:
        return tensors_element(data, random)
    start, end = header["counters"]["data_offsets"]
    place = 8 + length + start + 8 * random.randrange((end - start) // 8)
    return data[:place] + (random.choice(WORDS) % 2**64).to_bytes(8, "little") + data[place + 8:]


TENSORS = BYTES + [tensors_header] * 4 + [tensors_metadata] * 4 + [tensors_rename, tensors_length] + [tensors_element] * 3
CHECKPOINT = TENSORS + [tensors_metadata] * 4 + [counters] * 4
