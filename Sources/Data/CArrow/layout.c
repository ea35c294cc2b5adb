// Both sides of the interface are compiled apart: these sizes are what they have agreed upon.
#include "CArrow.h"

_Static_assert(sizeof(struct ArrowSchema) == 7 * sizeof(void *) + 2 * sizeof(int64_t), "ArrowSchema has another layout");
_Static_assert(sizeof(struct ArrowArray) == 5 * sizeof(void *) + 5 * sizeof(int64_t), "ArrowArray has another layout");
_Static_assert(sizeof(struct ArrowArrayStream) == 5 * sizeof(void *), "ArrowArrayStream has another layout");
