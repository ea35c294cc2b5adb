#ifndef RECBLR_SECURE_DELETE_H
#define RECBLR_SECURE_DELETE_H

/// Makes SQLite zero the unused part of each page of a database file when it writes the page, for all databases that this process opens from now
/// on. Returns SQLite's result code; calling it again does nothing.
///
/// `PRAGMA secure_delete` zeroes what is deleted, but where cells move to another page when a B-tree is balanced, their old bytes stay in
/// the gap between the cell pointers and the cells of the first page, and outlive the deletion of the cell.
///
/// On a full disk, opening a log fails with SQLITE_FULL, where SQLite alone would end the process with SIGBUS: it leaves holes in the file of its
/// shared memory.
int recblr_register_secure_delete(void);

#endif
