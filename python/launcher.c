/* The program `recblr` of the wheel: the library beside it has all of it. */
#include "recblr.h"

int main(int argc, char **argv) { recblr_main(argc, argv); }
