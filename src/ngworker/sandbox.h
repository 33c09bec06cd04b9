/* sandbox.h: the walls around ngspice. */
#ifndef RH_NGWORKER_SANDBOX_H
#define RH_NGWORKER_SANDBOX_H

#include "ngspice/protocol.h"

#include <stdbool.h>

/* Before ngspice is initialised: bounds on memory, time, files and processes. */
bool rh_sandbox_limits(rh_ng_info *info);
/* After it and before any deck: no file can be opened, no program or process started, no connection made. false: the
 * kernel refuses a layer that is required; Landlock is not. */
bool rh_sandbox_seal(rh_ng_info *info);

#endif
