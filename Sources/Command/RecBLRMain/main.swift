import RecBLRCommand

// The program `recblr`. All that it does is a library, which the C interface runs commands of, too.
Program.main()
