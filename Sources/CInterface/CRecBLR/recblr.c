#include "recblr.h"
