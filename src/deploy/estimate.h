/* What instructions would cost on a real device: an estimate from a named profile of one, never a measurement. */
#ifndef TIN_ESTIMATE_H
#define TIN_ESTIMATE_H

#include "deploy/deploy.h"

/* A device with typical currents (docs/deployment.md); what they stand for is in `source`; cycles_per_insn is an assumption. */
typedef struct tin_power_profile {
    const char *name;   /* "nrf52840", as on the command line */
    const char *target; /* whose instructions it executes: "m4" */
    double mhz;
    double cycles_per_insn;
    double ua_per_mhz; /* while it computes, at `volts` */
    double volts;
    double sleep_ua; /* between frames, RAM kept, woken by a clock */
    const char *source;
} tin_power_profile;

extern const tin_power_profile tin_power_profiles[]; /* ends with a NULL name */

/* TIN_ERR_USAGE lists the names when there is no such profile. */
tin_status tin_power_profile_find(const tin_power_profile **profile, const char *name, tin_error *err) TIN_USE_RESULT;

typedef struct tin_estimate {
    double cycles_per_decision;
    double duty;        /* share of the time that the core computes; above 1 it does not keep up */
    double worst_share; /* of the time between two frames that the worst frame takes */
    double decision_uj; /* energy of the computing for one decision */
    double average_uw;  /* computing and sleeping */
} tin_estimate;

/* footprint: of the profile's target, with instructions; rate_hz: frames per second. */
tin_estimate tin_estimate_of(const tin_power_profile *profile, const tin_footprint *footprint, double rate_hz);

#endif
