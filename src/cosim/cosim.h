/* cosim: the whole learning machine in ngspice, and beside it the closed form and the native machine. */
#ifndef RH_COSIM_H
#define RH_COSIM_H

#include "rheo/cosim.h"
#include "run/train.h"

enum { RH_CODE_COURSE = 430 /* ngspice did not finish the deck */ };

#endif
