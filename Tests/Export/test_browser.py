"""The snippet of docs/onnx.md for a browser, in headless Chromium."""

import http.server
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

import numpy as np

from test_docs import snippets
from workplace import FOLDER, export, model, recblr

HISTORY = ["i17", "i3", "i4", "i3", "i5"]
PAGE = """<!doctype html>
<script type="importmap">{"imports": {"onnxruntime-web": "/ort.min.mjs"}}</script>
<script type="module">
let result;
try {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.wasmPaths = "/";
  ort.env.wasm.numThreads = 1;
  const { push, top } = await import("/snippet.mjs");
  for (const item of HISTORY) await push(item);
  result = top(1000);
} catch (error) {
  result = `${error}`;
}
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
</script>
""".replace("HISTORY", json.dumps(HISTORY))


class Browser(unittest.TestCase):
    def test_its_snippet(self):
        chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
        files = os.environ.get("ONNXRUNTIME_WEB")
        if not (chromium and files):
            self.skipTest("there is no Chromium, or no onnxruntime-web")
        site = FOLDER / "site"
        shutil.copytree(files, site)
        shutil.copytree(export("default"), site / "shop-onnx")
        (site / "index.html").write_text(PAGE)
        (site / "snippet.mjs").write_text(snippets("js")[0])
        results = queue.Queue()

        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {".mjs": "text/javascript", ".html": "text/html", ".wasm": "application/wasm", ".json": "application/json"}

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=site)

            def do_POST(self):
                results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, tempfile.TemporaryDirectory() as profile:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={profile}"]
            if os.geteuid() == 0:
                flags.append("--no-sandbox")
            url = f"http://127.0.0.1:{server.server_port}/"
            process = subprocess.Popen([chromium, *flags, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                result = results.get(timeout=300)  # only a browser that hangs takes so long
            finally:
                process.terminate()
                process.wait()
                server.shutdown()
        self.assertIsInstance(result, list, result)
        done = recblr(
            "recommend", model("default"), "--history", ",".join(HISTORY), "-k", 1000, "--no-exclude-seen", "--json")
        expected = {best["id"]: best["score"] for best in json.loads(done.stdout)[0]["recommendations"]}
        self.assertEqual({best["item"] for best in result}, set(expected))
        for best in result:
            np.testing.assert_allclose(best["score"], expected[best["item"]], rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
    unittest.main()
