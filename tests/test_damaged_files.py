"""Damaged images and databases: refused by name, whatever is damaged, and the process that wants them lives on.

``GANBENCH_FUZZ=100`` makes a hundred times as many damaged files as a usual run of the tests.
"""

from __future__ import annotations

import gc
import io
import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.data import lmdb_reader
from benchmark.data.add import add
from benchmark.data.image import decode
from benchmark.data.lsun import from_lmdb
from benchmark.data.read import read
from benchmark.data.verify import verify
from benchmark.errors import GanbenchError
from tests.test_image_sets import QUIET, lay

TIMES = int(os.environ.get("GANBENCH_FUZZ", "1"))
PAGE = 4096  # bytes, of LMDB
SIDE = 16


def damaged(data: bytes, r: random.Random) -> bytes:
    """Bits turned, bytes set, lengths blown up, cut off: one or several of them."""
    out = bytearray(data)
    for _ in range(r.choice((1, 1, 2, 4, 16))):
        at = r.randrange(len(out))
        match r.randrange(5):
            case 0:
                out[at] ^= 1 << r.randrange(8)
            case 1:
                out[at] = r.randrange(256)
            case 2:
                out[at % 200 % len(out)] = r.choice((0, 127, 128, 255))
            case 3:
                out[at : at + 4] = r.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x01\0\0\0"))
            case 4 if r.random() < 0.3:
                del out[max(4, at) :]
    return bytes(out)


def damaged_pages(data: bytes, r: random.Random) -> bytes:
    """As a disk or a copy does it to a database: bits, heads of pages, a page in another's place, the end gone."""
    out, pages = bytearray(data), len(data) // PAGE
    here, there = r.randrange(pages) * PAGE, r.randrange(pages) * PAGE
    match r.randrange(4):
        case 0:
            for _ in range(r.choice((1, 4, 64))):
                out[r.randrange(len(out))] ^= 1 << r.randrange(8)
        case 1:
            for _ in range(r.choice((1, 2, 8))):
                out[here + r.randrange(64)] = r.randrange(256)
        case 2:
            del out[r.randrange(PAGE, len(out)) :]
        case 3:
            out[here : here + PAGE] = out[there : there + PAGE]
    return bytes(out)


def encoded(form: str, mode: str = "RGB", **options: object) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, form, **options)
    return out.getvalue()


def samples(form: str) -> list[bytes]:
    modes = {"PNG": ("RGB", "P", "LA"), "JPEG": ("RGB", "L", "CMYK"), "WEBP": ("RGB", "RGBA")}.get(
        form, ("RGB", "L", "P")
    )
    found = [encoded(form, mode) for mode in modes]
    if form == "TIFF":
        found += [encoded(form, compression=c) for c in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")]
        found += [encoded(form, "1", compression="group4"), encoded(form, "CMYK"), encoded(form, "YCbCr")]
    return found


@pytest.mark.filterwarnings("ignore")  # Pillow says more of what it finds
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF"])
def test_damaged_images(form: str) -> None:
    """Each is decoded or refused: no other error, and no crash (which would end the tests)."""
    Image.init()
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {form}")
    whole, refused = samples(form), 0
    for seed in range(80 * TIMES):
        r = random.Random(seed)
        try:
            decode(damaged(r.choice(whole), r), "a.png")
        except GanbenchError as error:
            assert str(error).startswith("a.png"), error
            refused += 1
    assert refused > 10 * TIMES


def database(folder: Path, count: int = 300, size: tuple[int, int] = (SIDE, SIDE)) -> dict[bytes, bytes]:
    lmdb = pytest.importorskip("lmdb", reason="pip install 'ganbench[lsun]'")
    r, out = random.Random(1), {}
    for i in range(count):
        stream = io.BytesIO()
        Image.new("RGB", size, (i % 256, i // 256, 7)).save(stream, "WEBP")
        out[r.randbytes(20).hex().encode()] = stream.getvalue()
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=2**24) as store, store.begin(write=True) as transaction:
        for key, value in out.items():
            transaction.put(key, value)
    return dict(sorted(out.items()))


def test_a_database_is_read_whole_from_many_threads(tmp_path: Path) -> None:
    content = database(tmp_path / "db")
    found = from_lmdb(tmp_path / "db")
    assert [name.encode() for name in found.names] == [*content] and len(found.names) == 300
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(found.load, range(300))] == [*content.values()]
    assert len(from_lmdb(tmp_path / "db").names) == 300, "while the first is open"


def test_damaged_databases(tmp_path: Path) -> None:
    """Every image is read and right, or the database, or the image, is refused."""
    database(tmp_path / "db")
    whole, refused = (tmp_path / "db/data.mdb").read_bytes(), 0
    for seed in range(8 * TIMES):
        lay(tmp_path, {"damaged/data.mdb": damaged_pages(whole, random.Random(seed))})
        try:
            found = from_lmdb(tmp_path / "damaged")
            for i in range(len(found.names)):
                decode(found.load(i), "an image")
        except GanbenchError as error:
            assert "damaged is not an LMDB database that can be read" in str(error) or "an image" in str(error)
            refused += 1
    assert refused > 2 * TIMES


def test_a_database_damaged_before_and_after_it_was_added(small, tmp_path: Path) -> None:
    """Beyond the end of what LMDB maps, access is a signal, not an error. ``run`` reads as ``read`` does."""
    small("lsun-bedroom", train={"count": 120}, val={"count": 1})
    database(tmp_path / "lsun/bedroom_train_lmdb", 120)
    file = tmp_path / "lsun/bedroom_train_lmdb/data.mdb"
    whole = file.read_bytes()
    for cut in (2 * PAGE, len(whole) // 2):
        file.write_bytes(whole[:cut])
        with pytest.raises(
            GanbenchError, match=r"bedroom_train_lmdb is not an LMDB database that can be read: .*crashed"
        ):
            add("lsun-bedroom", tmp_path / "lsun", **QUIET)
    assert not (tmp_path / "data").exists()
    file.write_bytes(whole)
    add("lsun-bedroom", tmp_path / "lsun", **QUIET)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GanbenchError, match="is not an LMDB database that can be read"):
        read("lsun-bedroom", "train", SIDE, 3)
    assert "is not an LMDB database" in str(dict(verify("lsun-bedroom"))["train"])
    file.write_bytes(whole)
    assert read("lsun-bedroom", "train", SIDE, 3).images.shape == (120, 3, SIDE, SIDE)


def killed(reader: lmdb_reader.Reader) -> None:
    reader._process.kill()


def stopped(reader: lmdb_reader.Reader) -> None:
    reader._process.send_signal(signal.SIGSTOP)


def crashed(reader: lmdb_reader.Reader) -> None:
    reader._process.send_signal(signal.SIGSEGV)


ENDS: dict[Callable[[lmdb_reader.Reader], None], str] = {
    killed: r"the process that reads it was ended, at b'k' \(SIGKILL\); run the same command again",
    stopped: r"no answer for 0.4 s, at b'k'; unpack the archive again",
    crashed: r"b'k' crashed the process that reads it \(SIGSEGV\); unpack the archive again",
}


@pytest.mark.parametrize("end", ENDS)
def test_the_process_that_reads_is_killed_silent_or_crashes(
    end: Callable[[lmdb_reader.Reader], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmdb_reader, "SILENT_S", 0.4)
    database(tmp_path / "db", 3)
    reader = lmdb_reader.Reader(tmp_path / "db", 10**6)
    assert sum(map(len, reader.keys())) == 3
    end(reader)
    for key in (b"k", b"another"):  # the first is to blame, whichever thread asks next
        with pytest.raises(GanbenchError, match=ENDS[end]):
            reader.value(key)


def test_the_process_ends_with_its_reader_and_is_deaf_to_ctrl_c(tmp_path: Path) -> None:
    content = database(tmp_path / "db", 3)
    reader = lmdb_reader.Reader(tmp_path / "db", 10**6)
    assert [key for some in reader.keys() for key in some] == [*content]
    process = reader._process
    process.send_signal(signal.SIGINT)
    assert reader.value(next(iter(content))) == next(iter(content.values()))
    del reader
    gc.collect()
    assert process.poll() is not None


def test_values_that_are_too_large_and_keys_that_are_not_there(tmp_path: Path) -> None:
    database(tmp_path / "db", 3)
    for largest, key in ((10, None), (10**6, b"not there")):
        reader = lmdb_reader.Reader(tmp_path / "db", largest)
        first, *_ = (key for some in reader.keys() for key in some)  # to their end: values come after all keys
        with pytest.raises(GanbenchError, match=f"holds no image of at most {largest:,} bytes"):
            reader.value(key or first)
    reader = lmdb_reader.Reader(tmp_path / "db", 10**6)
    with pytest.raises(GanbenchError, match="keys come in place of a value"):
        reader.value(first)


def test_nothing_of_the_working_directory_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database(tmp_path / "db", 3)
    for name in ("lmdb.py", "struct.py", "signal.py", "resource.py"):
        (tmp_path / name).write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    assert len(from_lmdb(tmp_path / "db").names) == 3
