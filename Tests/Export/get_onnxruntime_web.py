"""get_onnxruntime_web.py FOLDER: the files of onnxruntime-web, ort.mjs and what it loads. npm's package cannot be had from PyPI; but a wheel there has the files of
one release beside its own page, and ort.mjs as it was published in the page's source map. Fails where it cannot be fetched."""

import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "open-webui==0.12.4"
FOLDER = "open_webui/frontend/"

target = pathlib.Path(sys.argv[1])
with tempfile.TemporaryDirectory() as work:
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--timeout", "10", "--retries", "1", "--no-deps", "--dest", work, WHEEL]
    subprocess.run(fetch, check=True, stderr=subprocess.DEVNULL)
    [wheel] = pathlib.Path(work).iterdir()
    files = zipfile.ZipFile(wheel)
    target.mkdir(parents=True, exist_ok=True)
    for name in files.namelist():
        if name.startswith(FOLDER + "wasm/ort-"):
            (target / pathlib.Path(name).name).write_bytes(files.read(name))
        elif name.startswith(FOLDER + "_app/immutable/chunks/") and name.endswith(".js.map"):
            text = files.read(name)
            if b"onnxruntime-web/dist/ort.min.mjs" not in text:
                continue
            sources = json.loads(text)
            for source, content in zip(sources["sources"], sources["sourcesContent"]):
                if source.endswith("onnxruntime-web/dist/ort.min.mjs"):
                    (target / "ort.mjs").write_text(content)
if not (target / "ort.mjs").exists():
    sys.exit(f"there is no ort.min.mjs in {WHEEL}")
