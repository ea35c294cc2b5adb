"""The example notebook, executed as a reader would."""

import tempfile
import unittest
from pathlib import Path

from support import needs

NOTEBOOK = Path(__file__).parents[1] / "examples" / "first.ipynb"


@needs("nbclient", "nbformat", "ipykernel", "matplotlib")
class Notebook(unittest.TestCase):
    def test_it_runs(self):
        import nbclient
        import nbformat

        notebook = nbformat.read(NOTEBOOK, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}})
            client.execute()
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        kinds = {kind for output in outputs for kind in output.get("data", {})}
        self.assertIn("image/png", kinds)
        pages = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
        self.assertTrue(any("Epoch 6" in page for page in pages), "no lines of progress")
        self.assertTrue(any("<td>RecBLR, unmasked</td>" in page for page in pages))
        errors = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
        self.assertFalse([text for text in errors if "RecBLRWarning" not in text])


if __name__ == "__main__":
    unittest.main()
