/* rheo/rheo.h: all of librheo. */
#ifndef RHEO_RHEO_H
#define RHEO_RHEO_H

#include "rheo/base.h"
#include "rheo/circuit.h"
#include "rheo/cosim.h"
#include "rheo/export.h"
#include "rheo/memory.h"
#include "rheo/netlist.h"
#include "rheo/run.h"
#include "rheo/solver.h"
#include "rheo/transient.h"

#endif
