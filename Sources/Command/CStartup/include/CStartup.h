// What has to be done before anything else of the process runs; see startup.c. Nothing is called from outside.
