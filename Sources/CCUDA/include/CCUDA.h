#ifndef CCUDA_H
#define CCUDA_H

#include "driver.h"

#endif
