// Work that has to be done before anything else in the process; see startup.c. It has no callable functions.
