/* Part of the stand-in, see arm_nnfunctions.h. */
#include "arm_nnfunctions.h"
