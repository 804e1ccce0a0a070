/* Profiles of devices, and what follows from one. */
#include "deploy/estimate.h"

#include <stdio.h>
#include <string.h>

/* Round typical values at 25 degrees of such a device, to compare models with; docs/deployment.md says which of them were
 * checked. Cycles per instruction: assumed, from the documented timing of loads (2, in a row 1 each) and taken branches
 * (3) of these cores with the mix of the kernels, and no wait for flash. */
const tin_power_profile tin_power_profiles[] = {
    {"nrf51822", "m0", 16, 1.5, 275, 3.0, 2.6, "nRF51822: 4.4 mA at 16 MHz from flash; System ON, RAM kept"},
    {"nrf52840", "m4", 64, 1.4, 52, 3.0, 3.2,
     "nRF52840: CoreMark from flash with cache, DC/DC; System ON, all RAM, RTC"},
    {"apollo3", "m4", 48, 1.4, 6, 3.3, 1.0, "Apollo3 Blue: 6 uA/MHz from flash at 3.3 V; deep sleep with RTC"},
    {"stm32l4", "m4", 80, 1.4, 100, 3.3, 1.4, "STM32L476: run mode from flash, LDO; Stop 2 with RTC"},
    {"stm32u5", "m33", 160, 1.4, 19.5, 3.3, 9.0, "STM32U575: run mode, SMPS; Stop 2, all SRAM"},
    {"esp32c3", "rv32", 160, 1.4, 144, 3.3, 130, "ESP32-C3: modem-sleep, 23 mA at 160 MHz; light-sleep"},
    {.name = NULL},
};

tin_status tin_power_profile_find(const tin_power_profile **profile, const char *name, tin_error *err)
{
    char names[256] = "";
    for (const tin_power_profile *p = tin_power_profiles; p->name != NULL; p++) {
        if (strcmp(p->name, name) == 0) {
            *profile = p;
            return TIN_OK;
        }
        (void)snprintf(names + strlen(names), sizeof names - strlen(names), " %s (%s)", p->name, p->target);
    }
    return tin_fail(err, TIN_ERR_USAGE, "there is no power profile '%s'; give%s", name, names);
}

tin_estimate tin_estimate_of(const tin_power_profile *profile, const tin_footprint *footprint, double rate_hz)
{
    const double hz = profile->mhz * 1e6, active_uw = profile->ua_per_mhz * profile->mhz * profile->volts;
    const double sleep_uw = profile->sleep_ua * profile->volts;
    tin_estimate e;
    e.cycles_per_decision = footprint->insn_per_decision * profile->cycles_per_insn;
    e.duty = footprint->insn_per_frame * profile->cycles_per_insn * rate_hz / hz;
    e.worst_share = (double)footprint->insn_worst_frame * profile->cycles_per_insn * rate_hz / hz;
    e.decision_uj = e.cycles_per_decision / hz * active_uw;
    e.average_uw = e.duty < 1 ? e.duty * active_uw + (1 - e.duty) * sleep_uw : active_uw;
    return e;
}
