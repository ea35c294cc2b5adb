// What Swift sees of recblr.h: with Arrow's structs those of CArrow, so that they are one type.
#include "CArrow.h"

#include "recblr.h"
