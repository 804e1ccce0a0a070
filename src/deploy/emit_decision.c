/* The decision layer: what its rule uses, and the constants, the state and the kernel for that alone. */
#include <stdio.h>

#include "deploy/emit.h"

int tin_emit_events(const tin_qmodel *model)
{
    int n = 0;
    for (int k = 0; k < model->n_classes; k++) {
        n += model->classes[k].event;
    }
    return n;
}

/* The class at a place of the list: events, then the others. */
static long class_at(const void *context, long index)
{
    const tin_qmodel *m = context;
    const int events = tin_emit_events(m);
    const bool event = index < events;
    long left = event ? index : index - events;
    int k = 0;
    while (m->classes[k].event != event || left-- > 0) {
        k++;
    }
    return k;
}

static long threshold_at(const void *context, long index)
{
    const tin_emit *e = context;
    return e->rule->on[class_at(e->model, index)];
}

void tin_emit_choose_rule(tin_emit *e)
{
    const tin_decision_rule *r = e->rule;
    const int events = tin_emit_events(e->model), kept = r->min_length > 1 ? r->min_length - 1 : 0;
    e->uses = (tin_emit_rule){0};
    if (events == 0) {
        return;
    }
    e->uses = (tin_emit_rule){.eventful = true,
                              .rests = events<e->model->n_classes, .smooths = r->smooth_shift> 0,
                              .leads = r->lead > 0,
                              .runs = r->needed > 1 && r->needed == r->of,
                              .history = r->needed > 1 && r->needed<r->of, .keeps = kept> 0};
    for (int i = 1; i < events; i++) {
        e->uses.thresholds = e->uses.thresholds || threshold_at(e, i) != threshold_at(e, 0);
    }
    e->uses.scans = e->uses.smooths || e->uses.thresholds;
    e->uses.wait = r->refractory > kept ? r->refractory : kept;
}

static void constant(tin_emit *e, const char *name, long value, const char *comment)
{
    tin_text_printf(&e->header, value < 0 ? "#define %s_%s (%ld) /* %s */\n" : "#define %s_%s %ld /* %s */\n", e->upper,
                    name, value, comment);
}

void tin_emit_rule_constants(tin_emit *e)
{
    const tin_decision_rule *r = e->rule;
    const tin_emit_rule *uses = &e->uses;
    tin_text_add(&e->header, "/* decision rule; ON, HYSTERESIS and LEAD in score units, the others in decisions */\n");
    if (!uses->thresholds) {
        constant(e, "ON", tin_emit_events(e->model) > 0 ? threshold_at(e, 0) : 0,
                 "an event begins at this much over all classes that are no events");
    }
    constant(e, "HYSTERESIS", r->hysteresis, "an event ends so much below where it begins");
    if (uses->leads) {
        constant(e, "LEAD", r->lead, "by which another event must lead to take over");
    }
    if (uses->smooths) {
        constant(e, "SMOOTH_SHIFT", r->smooth_shift, "of the moving average, log2");
    }
    if (uses->runs || uses->history) {
        constant(e, "NEEDED", r->needed,
                 uses->runs ? "one after another that must agree" : "of the last OF that must agree");
    }
    if (uses->history) {
        constant(e, "OF", r->of, "see NEEDED");
    }
    if (uses->keeps) {
        constant(e, "MIN_LENGTH", r->min_length, "that an event lasts at least");
    }
    if (uses->wait > 0) {
        constant(e, "WAIT", uses->wait, "that follow a report without another one");
    }
    tin_text_printf(&e->header, "#define %s_RULE 0x%08lxu /* a hash of all of the rule */\n\n", e->upper,
                    (unsigned long)tin_decision_hash(r, e->model->classes, e->model->n_classes));
}

void tin_emit_rule_state(tin_emit *e)
{
    const tin_emit_rule *uses = &e->uses;
    tin_text *t = &e->header;
    tin_text_printf(t, "typedef struct %s_decision_t {\n    int32_t active;\n", e->name);
    if (uses->wait > 0) {
        tin_text_add(t, "    int32_t wait;\n");
    }
    if (uses->runs) {
        tin_text_add(t, "    int32_t candidate, run;\n");
    }
    if (uses->smooths) {
        tin_text_printf(t, "    int32_t average[%s_EVENTS]; /* smoothed margins */\n", e->upper);
    }
    if (uses->history) { /* OF - 1 of them; all members are multiples of four bytes */
        tin_text_printf(t, "    uint8_t candidates[%d]; /* of the last decisions, + 1 */\n", (e->rule->of + 2) / 4 * 4);
    }
    tin_text_printf(t, "} %s_decision_t;\n\n", e->name);
}

void tin_emit_rule_data(tin_emit *e)
{
    tin_text_add(&e->source, "/* The events, then the other classes. */\n");
    tin_emit_array(e, "uint8_t", "events", "first", e->model->n_classes, class_at, e->model);
    if (e->uses.thresholds) {
        tin_text_add(&e->source, "/* Over all that are no events, where an event begins: of each, in that order. */\n");
        tin_emit_array(e, "int32_t", "events", "on", tin_emit_events(e->model), threshold_at, e);
    }
    tin_text_add(&e->source, "\n");
}
