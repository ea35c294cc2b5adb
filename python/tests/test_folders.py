"""Folders are replaced whole or not at all, and only those of their kind."""

import os
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import recblr
from recblr import _folders
from support import data, model

SOURCES = Path(__file__).parents[2] / "Sources"


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


class Saving(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.place = Path(os.path.realpath(temporary.name))

    def refused(self, words, save, folder):
        before = contents(folder)
        with self.assertRaisesRegex(recblr.WriteError, words):
            save(folder)
        self.assertEqual(contents(folder), before)
        self.assertEqual(os.listdir(self.place), [folder.name])

    def test_a_folder_of_something_else_stays(self):
        web = self.place / "web"
        web.mkdir()
        (web / "config.json").write_text('{"port": 80}')
        self.refused("config.json", model().save, web)
        (web / "thesis.txt").write_text("years of work")
        self.refused("thesis.txt", model().save, web)

    def test_a_model_with_something_else_in_it_stays(self):
        shop = model().save(self.place / "shop")
        (shop / "thesis.txt").write_text("years of work")
        self.refused("thesis.txt", model().save, shop)

    def test_a_dataset_is_no_model(self):
        shop = data().save(self.place / "shop")
        self.refused("does not belong there", model().save, shop)
        self.assertEqual(recblr.Dataset.open(shop).mark, data().mark)

    def test_kinds_are_those_of_the_command(self):
        for kind, source in ((_folders.MODEL, "Model/ModelStore/ModelFolder"), (_folders.DATASET, "Data/Interactions/Prepare")):
            head, _, tail = (SOURCES / f"{source}.swift").read_text(encoding="utf-8").partition("FolderKind(")
            self.assertEqual(set(re.findall(r'static let \w+ = "(.+?)"', head)), kind.files)
            keys = re.search(r"markerKeys: \[(.+?)\]", tail)
            self.assertEqual(set(re.findall(r'"(.+?)"', keys[1])), kind.marker_keys)

    def test_a_dataset_s_files_are_its_own(self):
        self.assertLessEqual(set(contents(data().folder)), _folders.DATASET.files)

    def test_a_file_stays(self):
        file = self.place / "file"
        file.write_text("words")
        with self.assertRaises(recblr.WriteError):
            model().save(file)
        self.assertEqual(file.read_text(), "words")

    def test_only_a_model_s_files_are_copied(self):
        shop = model().save(self.place / "shop")
        (shop / "notes.txt").write_text("more")
        again = recblr.load(shop).save(self.place / "again")
        self.assertEqual(contents(again), contents(model().folder))

    def test_links_are_followed(self):
        for exists in (True, False):
            target, link = self.place / f"target-{exists}", self.place / f"link-{exists}"
            if exists:
                target.mkdir()
            link.symlink_to(target.name)
            for _ in range(2):
                self.assertEqual(model().save(link), link)
            self.assertTrue(link.is_symlink())
            self.assertEqual(contents(target), contents(model().folder))

    def test_nothing_is_lost_between_two_renames(self):
        """Where the file system cannot exchange folders, and Ctrl-C comes between."""
        shop = self.place / "shop"
        model().save(shop)
        (shop / "training.json").write_text("{}")
        before = contents(shop)
        rename = os.rename

        def interrupted(old, new):
            if Path(new) == shop and Path(old).name == "new":
                raise KeyboardInterrupt
            rename(old, new)

        cannot_exchange = mock.patch.object(_folders, "_exchange", return_value=False)
        with cannot_exchange, mock.patch("os.rename", interrupted), self.assertRaises(KeyboardInterrupt):
            model().save(shop)
        self.assertEqual(contents(shop), before)
        self.assertEqual(os.listdir(self.place), ["shop"])
        with cannot_exchange:
            model().save(shop)
        self.assertEqual(contents(shop), contents(model().folder))


if __name__ == "__main__":
    unittest.main()
