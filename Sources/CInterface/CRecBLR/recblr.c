#include "CRecBLR.h"
